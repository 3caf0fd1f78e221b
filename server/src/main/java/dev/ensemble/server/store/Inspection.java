package dev.ensemble.server.store;

import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.StateChange;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/// Shows what is in a member's data folder, damaged or not, also beside a running member. Changes
/// nothing.
///
/// Each method returns whether everything it looked at is good.
public final class Inspection {
    private final Path folder;
    private final FolderDisk disk;
    private final PrintWriter out;

    /// @throws StoreException if that is no data folder
    public Inspection(Path folder, PrintWriter out) throws IOException {
        this.folder = folder;
        this.disk = FolderDisk.look(folder);
        this.out = out;
        boolean anything =
                disk.list(Disk.ROOT).stream()
                        .anyMatch(name ->
                                name.equals(IdentityFile.FILE.name())
                                        || name.contains(Current.FILE.name())
                                        || Current.isData(name));
        if (!anything) {
            throw new StoreException(
                    folder
                            + " is no data folder of a member: it has none of the files identity"
                            + " and CURRENT and the folders state.N and log.N");
        }
    }

    /// Shows who the member is, what it has promised and which folders are in force.
    public boolean identity() throws IOException {
        boolean good = true;
        for (String name :
                List.of(IdentityFile.FILE.name(), EpochsFile.NAME, Current.FILE.name())) {
            out.println(name + ":");
            if (!disk.exists(name)) {
                out.println("  missing");
                good = false;
                continue;
            }
            if (name.equals(EpochsFile.NAME)) {
                good &= EpochsFile.show(disk, out);
                continue;
            }
            var file = new TextFile(name);
            new String(disk.read(name), StandardCharsets.UTF_8)
                    .lines()
                    .forEach(line -> out.println("  " + line));
            try {
                file.read(disk);
            } catch (DamagedException | StoreException e) {
                out.println("  BAD: " + e.getMessage());
                good = false;
            }
        }
        return good;
    }

    /// Shows the batches of the log.
    ///
    /// @param entries each transaction too
    public boolean log(boolean entries) throws IOException {
        boolean good = true;
        for (String name : inForce("log.")) {
            good &= log(name, entries);
        }
        return good;
    }

    private boolean log(String name, boolean entries) throws IOException {
        out.println(name + ":");
        if (!disk.exists(name)) {
            out.println("  missing");
            return false;
        }
        boolean good = true;
        try {
            out.println("  begins behind " + Zxid.text(TxnLog.base(disk, name)));
        } catch (DamagedException e) {
            out.println("  BAD: " + e.getMessage());
            good = false;
        }
        if (Truncation.isPending(disk, name)) {
            out.println("  a cut is not finished; the next start finishes it");
        }
        try {
            LogScan scan = LogScan.read(disk, name, -1, new Printer(entries));
            long end = scan.segments.isEmpty() ? Zxid.NONE : scan.segments.getLast().last;
            out.println(
                    "  ends at "
                            + Zxid.text(end)
                            + ", known to be committed "
                            + Zxid.text(scan.committed)
                            + (scan.torn == null ? "" : ", torn file " + scan.torn));
        } catch (DamagedException e) {
            out.println("  BAD: " + e.getMessage());
            good = false;
        }
        return good;
    }

    private final class Printer implements LogScan.Visitor {
        private final TxnCodec codec = new TxnCodec();
        private final boolean entries;

        Printer(boolean entries) {
            this.entries = entries;
        }

        @Override
        public void batch(String segment, LogFormat.BatchHeader header) {
            out.println(
                    "  "
                            + segment
                            + " at "
                            + header.offset()
                            + ": "
                            + header.count()
                            + " behind "
                            + Zxid.text(header.previous())
                            + ", "
                            + header.length()
                            + " bytes, committed "
                            + Zxid.text(header.committed()));
        }

        @Override
        public void entry(long zxid, byte[] payload) {
            if (!entries) {
                return;
            }
            String text;
            try {
                Payload decoded = codec.decode(payload);
                Header header = decoded.header();
                text =
                        "session 0x"
                                + Long.toHexString(header.session())
                                + " from "
                                + header.origin()
                                + " at "
                                + java.time.Instant.ofEpochMilli(header.timeMillis())
                                + " "
                                + describe(decoded.txn());
            } catch (IllegalArgumentException e) {
                text = "cannot be read: " + e.getMessage();
            }
            out.println("    " + Zxid.text(zxid) + " " + payload.length + " bytes " + text);
        }
    }

    /// {@return a transaction without the data of clients}
    private static String describe(Txn txn) {
        return switch (txn) {
            case Txn.Create create -> "create " + create.path();
            case Txn.Delete(String path) -> "delete " + path;
            case Txn.SetData setData ->
                    "setData " + setData.path() + " to version " + setData.version();
            case Txn.SetAcl setAcl -> "setAcl " + setAcl.path();
            case Txn.Check(String path) -> "check " + path;
            case Txn.Multi(List<Txn> parts) ->
                    "multi " + parts.stream().map(Inspection::describe).toList();
            case Txn.Refused(var code) -> "refused " + code;
            case Txn.RefusedMulti(var codes) -> "refused multi " + codes;
            case Txn.CreateSession create -> "createSession of " + create.timeoutMillis() + " ms";
            case Txn.AttachSession(int timeoutMillis) ->
                    "attachSession of " + timeoutMillis + " ms";
            case Txn.CloseSession(List<String> ephemerals) -> "closeSession " + ephemerals;
            case Txn.Configure(var ensemble) -> "configure " + ensemble.members().values();
        };
    }

    /// Shows what the stored state holds.
    ///
    /// @param znodes each znode too
    public boolean state(boolean znodes) throws IOException {
        boolean good = true;
        for (String name : inForce("state.")) {
            out.println(name + ":");
            if (!disk.exists(name)) {
                out.println("  missing");
                good = false;
                continue;
            }
            try (RocksEngine engine = RocksEngine.look(folder.resolve(name))) {
                good &= state(engine, znodes);
            } catch (DamagedException e) {
                out.println("  BAD: " + e.getMessage());
                good = false;
            }
        }
        return good;
    }

    private boolean state(StateEngine engine, boolean znodes) throws IOException {
        long[] counts = new long[3];
        engine.forEach((key, value) -> {
            try {
                switch (StateCodec.change(key, value)) {
                    case StateChange.PutNode node -> {
                        counts[0]++;
                        if (znodes) {
                            byte[] data = node.data();
                            out.println(
                                    "  "
                                            + node.path()
                                            + " czxid "
                                            + Zxid.text(node.czxid())
                                            + " mzxid "
                                            + Zxid.text(node.mzxid())
                                            + " version "
                                            + node.version()
                                            + (data == null
                                                    ? " null"
                                                    : " " + data.length + " bytes"));
                        }
                    }
                    case StateChange.PutSession _ -> counts[1]++;
                    case StateChange.PutEnsemble(var ensemble) ->
                            ensemble.text().lines().forEach(line -> out.println("  " + line));
                    case StateChange.At(long zxid) -> out.println("  of " + Zxid.text(zxid));
                    case StateChange.RemoveNode _, StateChange.RemoveSession _ -> {}
                }
            } catch (IllegalArgumentException e) {
                counts[2]++;
                out.println("  BAD: a key of " + key.length + " bytes: " + e.getMessage());
            }
        });
        out.println("  " + counts[0] + " znodes, " + counts[1] + " sessions");
        return counts[2] == 0;
    }

    /// {@return the folder in force, or all that there are if CURRENT does not say}
    private List<String> inForce(String kind) throws IOException {
        try {
            Current current = Current.read(disk);
            return List.of(kind.equals("log.") ? current.logFolder() : current.stateFolder());
        } catch (IOException e) {
            out.println("CURRENT cannot be read, so everything is shown: " + e.getMessage());
            return disk.list(Disk.ROOT).stream().filter(name -> name.startsWith(kind)).toList();
        }
    }
}
