package dev.ensemble.server.node;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.net.Links;
import dev.ensemble.server.net.SnapshotFetch;
import dev.ensemble.server.tls.PeerTls;
import dev.ensemble.server.zab.Hello;

import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Where the other members are.
///
/// The peer thread tells of changes, and any may ask.
final class Neighbours {
    private final Config config;
    private final @Nullable Links links;
    private final PeerTls tls;
    private volatile Map<Integer, Links.Address> addresses = Map.of();

    /// @param links null for a member that is alone
    Neighbours(Config config, @Nullable Links links, PeerTls tls) {
        this.config = config;
        this.links = links;
        this.tls = tls;
    }

    /// Links to everyone in the configuration, and to the seeds of the file.
    void dial(Ensemble configuration) {
        if (links == null) {
            return;
        }
        Map<Integer, Links.Address> wanted = new HashMap<>();
        for (Ensemble each : List.of(config.membership().declared(), configuration)) {
            each.members().forEach((id, member) -> wanted.put(id, address(member)));
        }
        wanted.remove(config.myid());
        addresses = Map.copyOf(wanted);
        links.setPeers(wanted);
    }

    private static Links.Address address(Ensemble.Member member) {
        List<Links.Address> others =
                member.more().stream()
                        .map(each -> new Links.Address(each.host(), each.port()))
                        .toList();
        return new Links.Address(member.host(), member.port(), others);
    }

    /// {@return what fetches a snapshot from the leader; null if it is not known where that is}
    @Nullable SnapshotFetch fetch(Hello own, int leader, long epoch, long zxid) {
        Links.Address address = addresses.get(leader);
        return address == null || links == null
                ? null
                : new SnapshotFetch(address, own, leader, epoch, zxid, links.maxFrameBytes(), tls);
    }
}
