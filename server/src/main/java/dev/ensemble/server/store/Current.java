package dev.ensemble.server.store;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/// The file `CURRENT`: which folders are in force. What it does not name is deleted at start
/// (`safety.md` 11).
///
/// @param state number of the folder of the state
/// @param log generation of the log
record Current(long state, long log) {
    static final TextFile FILE = new TextFile("CURRENT");

    private static final String STATE = "state.";
    private static final String LOG = "log.";

    void write(Disk disk) throws IOException {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("state", Long.toString(state));
        values.put("log", Long.toString(log));
        FILE.write(disk, values);
    }

    static Current read(Disk disk) throws IOException {
        Map<String, String> values = FILE.read(disk);
        return new Current(FILE.number(values, "state", 10), FILE.number(values, "log", 10));
    }

    String stateFolder() {
        return stateFolder(state);
    }

    static String stateFolder(long number) {
        return STATE + number;
    }

    /// {@return the number of a folder of state, in force or not; 0 for any other name}
    static long stateNumber(String name) {
        return name.matches("state\\.[0-9]{1,18}")
                ? Long.parseLong(name.substring(STATE.length()))
                : 0;
    }

    String logFolder() {
        return LOG + log;
    }

    /// {@return whether a name is of a folder of state or log, in force or not}
    static boolean isData(String name) {
        return name.matches("(state|log)\\.[0-9]{1,18}");
    }

    /// {@return whether a name is of a folder of the log, in force or not}
    static boolean isLog(String name) {
        return isData(name) && name.startsWith(LOG);
    }

    /// Deletes the folders of state and log that this does not name.
    void deleteOthers(Disk disk) throws IOException {
        for (String name : disk.list(Disk.ROOT)) {
            if (isData(name) && !name.equals(stateFolder()) && !name.equals(logFolder())) {
                disk.delete(name);
            }
        }
    }
}
