package dev.ensemble.server.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// A data folder in two parts: the state in `dataDir`, and in `dataLogDir` all that is written for
/// each batch and all that a member has promised: log, epochs, identity.
///
/// The state's part holds a copy of the identity, so that neither part is ever put together with
/// another member's (`safety.md` 9). The copy is written after the identity, in which only the
/// incarnation and the ids have to agree: a crash between the two is seen only while a member
/// begins anew, when it has no state.
final class TwoVolumes implements Disk {
    /// Not `identity`, so that the state's part alone is never taken for the whole.
    static final String COPY = "state-identity";

    private static final String TEMPORARY = ".tmp";
    private static final String IDENTITY = IdentityFile.FILE.name();

    private final Disk log;
    private final Disk state;

    private TwoVolumes(Disk log, Disk state) {
        this.log = log;
        this.state = state;
    }

    /// {@return the two as one}
    ///
    /// @throws StoreException if they do not belong together
    static TwoVolumes of(Disk log, Disk state) throws IOException {
        if (state.exists(Current.FILE.name()) || state.exists(IDENTITY)) {
            throw new StoreException(
                    "dataDir holds a log of its own, from before dataLogDir was set: move all but"
                            + " the folders state.* from dataDir/data to dataLogDir/data, and copy"
                            + " the file identity back under the name "
                            + COPY);
        }
        if (state.exists(COPY)) {
            if (!log.exists(IDENTITY)) {
                throw new StoreException(
                        "dataDir holds the state of a member whose log is not in dataLogDir: bring"
                                + " the log back, or empty dataDir to start as a new member");
            }
            check(IdentityFile.FILE.read(log), new TextFile(COPY).read(state), holdsState(state));
        } else if (holdsState(state)) {
            throw new StoreException(
                    "dataDir holds state but no file " + COPY + ": whose data it is is not known");
        }
        return new TwoVolumes(log, state);
    }

    private static boolean holdsState(Disk state) throws IOException {
        return state.list(ROOT).stream().anyMatch(Current::isData);
    }

    private static void check(
            Map<String, String> ofLog, Map<String, String> ofState, boolean holdsState)
            throws IOException {
        for (String key : List.of("myid", "incarnation")) {
            String here = IdentityFile.FILE.text(ofLog, key);
            String there = new TextFile(COPY).text(ofState, key);
            if (!here.equals(there) && (holdsState || key.equals("myid"))) {
                throw new StoreException(
                        String.format(
                                "dataDir and dataLogDir are not of one member: %s is %s in"
                                        + " dataLogDir and %s in dataDir",
                                key, here, there));
            }
        }
    }

    private Disk of(String name) {
        return isState(name) ? state : log;
    }

    /// Folders of state, also those that were put aside, and what is in them.
    private static boolean isState(String name) {
        return Arrays.asList(name.split("[./]", -1)).contains("state");
    }

    @Override
    public List<String> list(String folder) throws IOException {
        if (!folder.equals(ROOT)) {
            return of(folder).list(folder);
        }
        var all = new ArrayList<>(log.list(ROOT));
        state.list(ROOT).stream().filter(TwoVolumes::isState).forEach(all::add);
        return all.stream().sorted().toList();
    }

    @Override
    public boolean exists(String name) throws IOException {
        return of(name).exists(name);
    }

    @Override
    public void makeFolder(String name) throws IOException {
        of(name).makeFolder(name);
    }

    @Override
    public File create(String name) throws IOException {
        return of(name).create(name);
    }

    @Override
    public void allocate(String name, long bytes) throws IOException {
        of(name).allocate(name, bytes);
    }

    @Override
    public File open(String name) throws IOException {
        return of(name).open(name);
    }

    @Override
    public void rename(String from, String to) throws IOException {
        of(from).rename(from, to);
        if (to.equals(IDENTITY)) {
            log.syncFolder(ROOT);
            try (File copy = state.create(COPY + TEMPORARY)) {
                copy.write(0, ByteBuffer.wrap(log.read(IDENTITY)));
                copy.force();
            }
            state.rename(COPY + TEMPORARY, COPY);
            state.syncFolder(ROOT);
        }
    }

    @Override
    public void syncFolder(String name) throws IOException {
        of(name).syncFolder(name);
        if (name.equals(ROOT)) {
            state.syncFolder(ROOT);
        }
    }

    @Override
    public long ageMillis(String name) throws IOException {
        return of(name).ageMillis(name);
    }

    @Override
    public void delete(String name) throws IOException {
        of(name).delete(name);
    }

    /// Of the one that has less: either, full, stops the member.
    @Override
    public long freeBytes() throws IOException {
        return Math.min(log.freeBytes(), state.freeBytes());
    }

    @Override
    public long totalBytes() throws IOException {
        return (log.freeBytes() <= state.freeBytes() ? log : state).totalBytes();
    }

    @Override
    public void close() throws IOException {
        try (log) {
            state.close();
        }
    }
}
