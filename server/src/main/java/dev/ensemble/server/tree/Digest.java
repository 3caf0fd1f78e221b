package dev.ensemble.server.tree;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Session;

import java.nio.charset.StandardCharsets;
import java.util.List;

/// What a tree's digest adds up: one number for each thing in it, the same on every member.
///
/// The digest is their sum, so neither order nor history matters, and a change costs what it
/// changes. It finds members that differ by a fault; it is no protection against somebody who wants
/// two trees to look alike.
final class Digest {
    /// Fixed: members compare digests.
    private static final long KEY = 0x6469_6765_7374_2e31L;

    private Digest() {}

    static long bytes(byte[] bytes, int from, int to) {
        return SipHash.hash(KEY, ~KEY, bytes, from, to);
    }

    static long text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return bytes(bytes, 0, bytes.length);
    }

    /// {@return the part of a znode that its children leave alone}
    ///
    /// @param path digest of the path
    static long record(long path, byte[] record, long acl) {
        long h = mix(path, 1);
        h = mix(h, Leaf.czxid(record));
        h = mix(h, Leaf.ctime(record));
        h = mix(h, Leaf.mzxid(record));
        h = mix(h, Leaf.mtime(record));
        h = mix(h, Leaf.version(record));
        h = mix(h, Leaf.aversion(record));
        h = mix(h, Leaf.owner(record));
        h = mix(h, acl);
        h = mix(h, Leaf.isDataNull(record) ? 1 : 2);
        return end(mix(h, bytes(record, Leaf.dataFrom(record), record.length)));
    }

    /// {@return the part of a znode that changes with its children}
    static long children(long path, int created, long pzxid) {
        return end(mix(mix(mix(path, 2), created), pzxid));
    }

    static long acl(List<Acl> acl) {
        long h = mix(acl.size(), 3);
        for (Acl entry : acl) {
            h = mix(h, entry.perms());
            h = mix(h, text(entry.id().scheme()));
            h = mix(h, text(entry.id().id()));
        }
        return end(h);
    }

    static long session(Session session) {
        long h = mix(session.id(), 4);
        h = mix(h, session.timeoutMillis());
        h = mix(h, session.owner());
        h = mix(h, session.attach());
        return end(mix(h, bytes(session.password(), 0, session.password().length)));
    }

    static long ensemble(Ensemble ensemble) {
        long h = mix(mix(ensemble.version(), 5), text(ensemble.id()));
        for (Ensemble.Member member : ensemble.members().values()) {
            h = mix(h, member.myid());
            h = mix(h, text(member.text()));
            h = mix(h, member.incarnation());
        }
        if (ensemble.level() > Ensemble.FIRST_LEVEL) {
            h = mix(h, ensemble.level());
        }
        for (var each : ensemble.groups().groups().entrySet()) {
            h = mix(mix(h, each.getKey()), each.getValue());
        }
        for (var each : ensemble.groups().weights().entrySet()) {
            h = mix(mix(h, each.getKey()), each.getValue());
        }
        return end(h);
    }

    private static long mix(long h, long value) {
        return Long.rotateLeft((h ^ value * 0x9e37_79b9_7f4a_7c15L) * 0xd6e8_feb8_6659_fd93L, 29);
    }

    private static long end(long h) {
        h = (h ^ h >>> 32) * 0xd6e8_feb8_6659_fd93L;
        return h ^ h >>> 32;
    }
}
