package dev.ensemble.server.node;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Stat;
import dev.ensemble.server.tree.Tree;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.Adler32;
import java.util.zip.CheckedOutputStream;

/// Writes a tree as a snapshot file of ZooKeeper 3.9: what the admin command `snapshot` gives, and
/// what a ZooKeeper server can start from. It is for taking data elsewhere; ours stores its state
/// in another way.
final class SnapshotFile {
    private static final int MAGIC = 0x5a4b534e; // ZKSN
    private static final int VERSION = 2;
    private static final int DIGEST_VERSION = 2;
    private static final long OPEN_ACL = -1;
    private static final List<Acl> OPEN = List.of(new Acl(Acl.ALL, Id.ANYONE));

    private final Tree tree;
    private final CheckedOutputStream checked;
    private final DataOutputStream out;
    private final Map<List<Acl>, Long> acls = new HashMap<>();

    private SnapshotFile(Tree tree, OutputStream to) {
        this.tree = tree;
        this.checked =
                new CheckedOutputStream(new BufferedOutputStream(to, 1 << 16), new Adler32());
        this.out = new DataOutputStream(checked);
    }

    static void write(Tree tree, OutputStream to) throws IOException {
        new SnapshotFile(tree, to).write();
    }

    private void write() throws IOException {
        out.writeInt(MAGIC);
        out.writeInt(VERSION);
        out.writeLong(-1); // Of a database: the original always writes this.
        sessions();
        acls();
        nodes();
        seal();
        // No digest: those of the original are computed in another way. It takes 0 for none.
        out.writeLong(0);
        out.writeInt(DIGEST_VERSION);
        out.writeLong(0);
        seal();
        out.writeLong(tree.zxid());
        seal();
        out.flush();
    }

    private void sessions() throws IOException {
        var sessions = new TreeMap<Long, Integer>();
        tree.forEachSession(session -> sessions.put(session.id(), session.timeoutMillis()));
        out.writeInt(sessions.size());
        for (Map.Entry<Long, Integer> session : sessions.entrySet()) {
            out.writeLong(session.getKey());
            out.writeInt(session.getValue());
        }
    }

    private interface Visitor {
        void visit(String path) throws IOException;
    }

    /// Parents before children.
    private void walk(Visitor visitor) throws IOException {
        var left = new ArrayDeque<String>();
        left.push("/");
        while (!left.isEmpty()) {
            String path = left.pop();
            visitor.visit(path);
            List<String> children = tree.children(path);
            if (children != null) {
                String prefix = path.equals("/") ? path : path + "/";
                children.forEach(name -> left.push(prefix + name));
            }
        }
    }

    private void acls() throws IOException {
        walk(path -> acls.computeIfAbsent(acl(path), _ -> acls.size() + 1L));
        acls.put(OPEN, OPEN_ACL);
        out.writeInt(acls.size() - 1);
        for (Map.Entry<List<Acl>, Long> entry : acls.entrySet()) {
            if (entry.getValue() == OPEN_ACL) {
                continue;
            }
            out.writeLong(entry.getValue());
            out.writeInt(entry.getKey().size());
            for (Acl acl : entry.getKey()) {
                out.writeInt(acl.perms());
                text(acl.id().scheme());
                text(acl.id().id());
            }
        }
    }

    private List<Acl> acl(String path) {
        List<Acl> acl = tree.acl(path);
        return acl == null || acl.isEmpty() ? OPEN : acl;
    }

    private void nodes() throws IOException {
        walk(this::node);
        text("/"); // The end.
    }

    private void node(String path) throws IOException {
        Stat stat = tree.stat(path);
        if (stat == null) {
            throw new IllegalStateException(path + " is a child and no znode");
        }
        text(path.equals("/") ? "" : path);
        byte[] data = tree.data(path);
        out.writeInt(data == null ? -1 : data.length);
        if (data != null) {
            out.write(data);
        }
        out.writeLong(acls.getOrDefault(acl(path), OPEN_ACL));
        out.writeLong(stat.czxid());
        out.writeLong(stat.mzxid());
        out.writeLong(stat.ctime());
        out.writeLong(stat.mtime());
        out.writeInt(stat.version());
        // Stored is how many children were created; shown is how often they changed.
        out.writeInt((stat.cversion() + stat.numChildren()) / 2);
        out.writeInt(stat.aversion());
        out.writeLong(stat.ephemeralOwner());
        out.writeLong(stat.pzxid());
    }

    private void text(String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    /// The checksum of all before it.
    private void seal() throws IOException {
        out.flush();
        out.writeLong(checked.getChecksum().getValue());
        text("/");
    }
}
