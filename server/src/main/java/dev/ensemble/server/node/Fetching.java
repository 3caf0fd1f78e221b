package dev.ensemble.server.node;

import dev.ensemble.server.member.Input;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.net.SnapshotFetch;
import dev.ensemble.server.store.SnapshotReceiver;
import dev.ensemble.server.store.Store;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.Event;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.util.List;

/// Fetches snapshots: from the leader's socket into a state folder beside the one in force, on a
/// thread of its own.
///
/// One at a time: a new one ends the one before. The peer thread begins them, and hears of the end
/// through its inbox.
final class Fetching {
    private static final Logger LOG = LoggerFactory.getLogger(Fetching.class);

    private final Store store;
    private final Inbox<Input> inbox;
    private @Nullable Thread last;
    private @Nullable SnapshotFetch running;

    Fetching(Store store, Inbox<Input> inbox) {
        this.store = store;
        this.inbox = inbox;
    }

    /// Begins. Peer thread.
    void begin(SnapshotFetch fetch, long epoch, long zxid) {
        stop();
        Thread before = last;
        running = fetch;
        last =
                Thread.ofPlatform()
                        .name("snapshot-fetch")
                        .daemon()
                        .start(() -> run(before, fetch, epoch, zxid));
    }

    /// Ends what is running, without waiting. Peer thread.
    void stop() {
        SnapshotFetch fetch = running;
        running = null;
        if (fetch != null) {
            try {
                fetch.close();
            } catch (IOException e) {
                LOG.atDebug().setCause(e).log("closing a connection");
            }
        }
    }

    private void run(@Nullable Thread before, SnapshotFetch fetch, long epoch, long zxid) {
        try {
            if (before != null) {
                before.join();
            }
            LOG.atInfo().addKeyValue("zxid", Zxid.text(zxid)).log("fetching a snapshot");
            SnapshotReceiver receiver = store.receive(zxid);
            fetch.run(receiver::accept);
            Tree tree = receiver.finish();
            LOG.atInfo()
                    .addKeyValue("zxid", Zxid.text(zxid))
                    .addKeyValue("znodes", tree.znodeCount())
                    .log("snapshot fetched");
            inbox.add(
                    List.of(
                            new Input.Fetched(zxid, tree),
                            new Input.OfPeer(new Event.SnapshotFetched(epoch, zxid))));
        } catch (IOException | IllegalArgumentException | IllegalStateException e) {
            LOG.atWarn()
                    .addKeyValue("zxid", Zxid.text(zxid))
                    .log("snapshot not fetched: {}", e.toString());
            String reason = String.valueOf(e.getMessage());
            inbox.add(new Input.OfPeer(new Event.SnapshotFailed(epoch, zxid, reason)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
