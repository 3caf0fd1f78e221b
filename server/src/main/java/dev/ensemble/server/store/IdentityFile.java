package dev.ensemble.server.store;

import dev.ensemble.server.model.Identity;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// The file `identity`: who the member is.
final class IdentityFile {
    static final TextFile FILE = new TextFile("identity");

    private static final String VOTER = "voter.";

    private IdentityFile() {}

    static void write(Disk disk, Identity identity) throws IOException {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("state", identity.state().name().toLowerCase(Locale.ROOT));
        values.put("ensemble", identity.ensembleId());
        values.put("myid", Integer.toString(identity.myid()));
        values.put("incarnation", Long.toHexString(identity.incarnation()));
        values.put("starts", Long.toString(identity.starts()));
        new TreeMap<>(identity.voters())
                .forEach((myid, seen) -> values.put(VOTER + myid, Long.toHexString(seen)));
        FILE.write(disk, values);
    }

    static Identity read(Disk disk) throws IOException {
        Map<String, String> values = FILE.read(disk);
        var voters = new TreeMap<Integer, Long>();
        for (String key : values.keySet()) {
            if (key.startsWith(VOTER)) {
                voters.put(
                        Integer.valueOf(key.substring(VOTER.length())),
                        FILE.number(values, key, 16));
            }
        }
        return new Identity(
                Identity.State.valueOf(FILE.text(values, "state").toUpperCase(Locale.ROOT)),
                FILE.text(values, "ensemble"),
                (int) FILE.number(values, "myid", 10),
                FILE.number(values, "incarnation", 16),
                FILE.number(values, "starts", 10),
                voters);
    }
}
