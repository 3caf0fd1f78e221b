package dev.ensemble.server.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.ensemble.server.FrozenFormats;
import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.proto.StoreProto;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.StateChange;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.DiskOp;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/// A folder that an older build has left behind opens, and holds what it held.
final class FrozenDataTest {
    private static final String DATA = "data.zip";
    private static final String CONTENT = "data.txt";
    private static final String SCHEMA = "store.desc";
    private static final int MYID = 3;
    private static final long STORED = 8;
    private static final long SESSION = 3L << 56 | 1;
    private static final StoreOptions SMALL =
            new StoreOptions(4096, 512, 700, 16, StoreOptions.Tail.NONE, 0);

    @Test
    void schemaHasWhatItHad() throws IOException {
        for (int version = 1; version <= FrozenFormats.VERSION; version++) {
            FrozenFormats.assertCompatible(version, SCHEMA, StoreProto.getDescriptor());
        }
    }

    @Test
    void folderHoldsWhatItHeld(@TempDir Path temporary) throws Exception {
        for (int version = 1; version <= FrozenFormats.VERSION; version++) {
            Path folder = temporary.resolve("" + version);
            unpack(FrozenFormats.read(version, DATA), folder);
            String content =
                    new String(FrozenFormats.read(version, CONTENT), StandardCharsets.UTF_8);
            assertEquals(content, content(folder));
            assertEquals(content, content(folder), "also after this build has been at work in it");
        }
    }

    private static String content(Path folder) throws IOException {
        var lines = new ArrayList<String>();
        try (Store store = Store.open(folder, MYID, HashKey.KNOWN, SMALL)) {
            Recovered found = store.recovered();
            lines.add("warnings " + found.warnings());
            Identity identity = found.identity();
            lines.add(
                    String.format(
                            "identity %s %s %d %x %s",
                            identity.state(),
                            identity.ensembleId(),
                            identity.myid(),
                            identity.incarnation(),
                            identity.voters()));
            lines.add("epochs " + found.acceptedEpoch() + " " + found.currentEpoch());
            lines.add(
                    String.format(
                            "state %s, committed %s",
                            Zxid.text(found.base()), Zxid.text(found.committed())));
            var codec = new TxnCodec();
            for (LogEntry entry : found.log()) {
                Payload payload = entry.payload();
                lines.add(
                        String.format(
                                "log %s %s %s",
                                Zxid.text(entry.zxid()),
                                payload.header(),
                                HexFormat.of()
                                        .formatHex(
                                                codec.encode(payload.header(), payload.txn())
                                                        .bytes())));
            }
            var changes = new ArrayList<String>();
            found.tree().diff(null, change -> changes.add(describe(change)));
            changes.stream().sorted().forEach(lines::add);
        }
        // What members have had since then, and had not there.
        return (String.join("\n", lines) + "\n").replace(", more=[]", "");
    }

    private static String describe(StateChange change) {
        return switch (change) {
            case StateChange.PutNode node -> {
                byte[] data = node.data();
                yield String.format(
                        "node %s data %s acl %s %x %x %x %d %d %d %d %d %x",
                        node.path(),
                        data == null ? "null" : HexFormat.of().formatHex(data),
                        node.acl(),
                        node.czxid(),
                        node.mzxid(),
                        node.pzxid(),
                        node.ctime(),
                        node.mtime(),
                        node.version(),
                        node.aversion(),
                        node.created(),
                        node.owner());
            }
            case StateChange.PutSession(Session session) ->
                    String.format(
                            "session %x of %d ms, %s",
                            session.id(),
                            session.timeoutMillis(),
                            HexFormat.of().formatHex(session.password()));
            case StateChange.PutEnsemble(Ensemble ensemble) ->
                    String.format(
                            "ensemble Ensemble[id=%s, version=%d, members=%s]%s",
                            ensemble.id(),
                            ensemble.version(),
                            ensemble.members(),
                            ensemble.level() == Ensemble.FIRST_LEVEL
                                    ? ""
                                    : " level " + ensemble.level() + " " + ensemble.groups());
            case StateChange.At(long zxid) -> "of " + Zxid.text(zxid);
            case StateChange.RemoveNode _, StateChange.RemoveSession _ ->
                    throw new IllegalStateException("removed from nothing");
        };
    }

    // How it is made.

    /// Freezes what this build writes. The argument is `src/test/resources`.
    static void main(String[] arguments) throws Exception {
        Path resources = Path.of(arguments[0]);
        FrozenFormats.write(resources, SCHEMA, StoreProto.getDescriptor().toProto().toByteArray());
        Path folder = Files.createTempDirectory("frozen");
        fill(folder);
        byte[] packed = pack(folder);
        FrozenFormats.write(resources, DATA, packed);
        // Opened once more in another place: what is told is what was packed.
        Path again = Files.createTempDirectory("frozen");
        unpack(packed, again);
        FrozenFormats.write(resources, CONTENT, content(again).getBytes(StandardCharsets.UTF_8));
    }

    private static void fill(Path folder) throws Exception {
        var codec = new TxnCodec();
        var jobs = new ArrayList<DiskWork.Job>();
        try (Store store = Store.open(folder, MYID, HashKey.KNOWN, SMALL)) {
            Identity identity =
                    store.recovered()
                            .identity()
                            .in(Identity.State.MEMBER, "frozen", Map.of(1, 11L, 2, 12L));
            jobs.add(new DiskWork.Ordered(1, new DiskOp.StoreIdentity(identity)));
            jobs.add(new DiskWork.Ordered(2, new DiskOp.Epochs(2, 1)));
            Tree tree = Tree.initial();
            Tree stored = tree;
            long counter = 0;
            for (Txn txn : committed()) {
                long zxid = Zxid.of(1, ++counter);
                Payload payload =
                        codec.encode(
                                new Header(SESSION, MYID, 7, counter, 1_795_000_000_000L), txn);
                jobs.add(
                        new DiskWork.Ordered(
                                zxid, new DiskOp.Append(zxid, payload, Zxid.of(1, counter - 1))));
                tree = tree.apply(zxid, payload.header(), txn).tree();
                stored = counter == STORED ? tree : stored;
            }
            long committed = Zxid.of(1, counter);
            for (Txn txn : TxnCodecTest.everyKind().toList()) {
                long zxid = Zxid.of(1, ++counter);
                Payload payload = codec.encode(new Header(-5, 255, 9, counter, 0), txn);
                jobs.add(new DiskWork.Ordered(zxid, new DiskOp.Append(zxid, payload, committed)));
            }
            store.work().perform(jobs, _ -> {});
            assertFalse(stored.zxid() == 0);
            store.flush(stored);
        }
    }

    private static List<Txn> committed() {
        var members =
                Map.of(
                        MYID,
                        new Ensemble.Member(
                                MYID, "h", 2888, 3888, Ensemble.Role.PARTICIPANT, "h:2181", 7),
                        4,
                        new Ensemble.Member(4, "::1", 2888, 0, Ensemble.Role.OBSERVER, null, 8));
        var acl = List.of(new Acl(Acl.ALL, Id.ANYONE), new Acl(1, new Id("digest", "a:b=")));
        byte[] data = {1, 2, 3};
        return List.of(
                new Txn.Configure(new Ensemble("frozen", Zxid.of(1, 1), members)),
                new Txn.CreateSession(30_000, new byte[16]),
                new Txn.Create("/a", data, acl, 0),
                new Txn.Create("/a/ü", null, Acl.OPEN, 0),
                new Txn.Create("/container", new byte[0], Acl.OPEN, Long.MIN_VALUE),
                new Txn.SetData("/a", new byte[] {4}, 1),
                new Txn.Create("/gone", data, Acl.OPEN, 0),
                new Txn.Refused(Code.NODE_EXISTS),
                new Txn.Delete("/gone"),
                new Txn.SetAcl("/a/ü", acl, 1),
                new Txn.Multi(
                        List.of(new Txn.Check("/a"), new Txn.Create("/m", data, Acl.OPEN, 0))));
    }

    private static byte[] pack(Path folder) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var zip = new ZipOutputStream(bytes);
                Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                zip.putNextEntry(new ZipEntry(folder.relativize(file).toString()));
                zip.write(Files.readAllBytes(file));
                zip.closeEntry();
            }
        }
        return bytes.toByteArray();
    }

    private static void unpack(byte[] packed, Path folder) throws IOException {
        try (var zip = new ZipInputStream(new ByteArrayInputStream(packed))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                Path file = folder.resolve(entry.getName());
                Files.createDirectories(file.getParent());
                Files.write(file, zip.readAllBytes());
            }
        }
    }
}
