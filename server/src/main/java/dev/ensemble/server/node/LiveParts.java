package dev.ensemble.server.node;

import dev.ensemble.server.net.Audit;
import dev.ensemble.server.net.ClientServer;
import dev.ensemble.server.net.ClientSettings;
import dev.ensemble.server.store.Store;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;

/// The parts that take over a changed configuration as they run. Each key of [ConfigKeys#live] is
/// in one of these.
///
/// @param audit null: nothing is audited
record LiveParts(
        Store store,
        ClientServer clients,
        Replaying replaying,
        Upkeep upkeep,
        @Nullable Audit audit)
        implements Reloading.Parts {

    @Override
    public void use(Config next) throws IOException, InterruptedException {
        upkeep.lowWater(next.storage().lowWaterBytes());
        store.tail(next.storage().tail());
        store.metrics().warnAbove(next.fsyncWarningMillis());
        replaying.snapshotSizeFactor(next.storage().snapshotSizeFactor());
        try {
            clients.use(ofClients(next, audit)).toCompletableFuture().get();
        } catch (ExecutionException | RejectedExecutionException e) {
            throw new IOException("the I/O threads do not take it: " + e, e);
        }
    }

    /// {@return what the configuration says about clients}
    static ClientSettings ofClients(Config config, @Nullable Audit audit) {
        Config.Clients from = config.clients();
        return new ClientSettings(
                Runtime.getRuntime().availableProcessors(),
                config.timing().tickMillis(),
                config.timing().minSessionTimeoutMillis(),
                config.timing().maxSessionTimeoutMillis(),
                from.maxFrameBytes(),
                from.backlog(),
                from.maxPerAddress(),
                from.maxConnections(),
                from.handshakeTimeoutMillis(),
                from.maxOutstanding(),
                from.fourLetterWords(),
                from.limits(),
                audit,
                from.linearizableReads());
    }
}
