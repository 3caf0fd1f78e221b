package dev.ensemble.server.node;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.net.ClientServer;
import dev.ensemble.server.net.Links;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;

/// Where this member listens: as its own line of the committed configuration says, else as the file
/// does. When that line changes, the ports move at once; whoever is connected stays.
///
/// A file without a port for plaintext never gets one by that.
final class Listening {
    private static final Logger LOG = LoggerFactory.getLogger(Listening.class);

    private final Config config;
    private final @Nullable ClientServer clients;
    private final @Nullable Links links;
    private Ensemble.Member followed;
    private long version;

    Listening(
            Config config,
            Ensemble committed,
            @Nullable ClientServer clients,
            @Nullable Links links) {
        this.config = config;
        this.clients = clients;
        this.links = links;
        this.followed = self(config, committed);
    }

    /// {@return this member as it is committed, which may be otherwise than in the file}
    static Ensemble.Member self(Config config, Ensemble committed) {
        return config.membership().standalone()
                ? config.self()
                : committed.members().getOrDefault(config.myid(), config.self());
    }

    /// {@return where to listen for other members}
    static List<InetSocketAddress> ofMembers(Config config, Ensemble.Member self) {
        return self.addresses().stream().map(each -> ofMembers(config, each)).distinct().toList();
    }

    private static InetSocketAddress ofMembers(Config config, Ensemble.Member.Address own) {
        InetSocketAddress address =
                config.membership().listenOnAllAddresses()
                        ? new InetSocketAddress(own.port())
                        : new InetSocketAddress(own.host(), own.port());
        if (address.isUnresolved()) {
            LOG.warn("own name {} is not known yet: listening on every address", own.host());
            return new InetSocketAddress(own.port());
        }
        return address;
    }

    /// {@return where to listen for clients in plaintext; null for nowhere}
    static @Nullable Endpoint ofClients(Config config, Ensemble.Member self) {
        Endpoint inFile = config.clients().endpoint();
        return inFile == null || self.client() == null ? inFile : Endpoint.parse(self.client());
    }

    /// Another configuration is committed. Waits for sockets, so not for the peer thread.
    synchronized void follow(Ensemble committed) {
        if (committed.version() < version) {
            return; // Overtaken by a newer one.
        }
        version = committed.version();
        Ensemble.Member now = self(config, committed);
        if (links != null && !ofMembers(config, now).equals(ofMembers(config, followed))) {
            List<InetSocketAddress> to = ofMembers(config, now);
            move("members", to, () -> links.listen(to));
        }
        Endpoint at = ofClients(config, now);
        if (clients != null && at != null && !at.equals(ofClients(config, followed))) {
            move("clients", at, () -> clients.move(at.toSocketAddress()));
        }
        followed = now;
    }

    private interface Move {
        void run() throws IOException;
    }

    private void move(String whom, Object to, Move move) {
        try {
            move.run();
            LOG.info("listening for {} on {} from here on", whom, to);
        } catch (IOException e) {
            // Those who are connected stay, and another change of the configuration may help.
            LOG.error(
                    "the configuration has another address for {}, which cannot be had: {}",
                    whom,
                    e.getMessage());
        }
    }
}
