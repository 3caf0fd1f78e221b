package dev.ensemble.server.differential;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/// Access control lists of programs, good and bad.
final class Acls {
    /// Base64 of SHA-1 of `u:p` and `v:q`.
    private static final String U = "u:Jq7wMyA/w2Vd5WIDJAKdu4OIIFE=";

    private static final List<Entry> GOOD =
            List.of(
                    new Entry(31, "world", "anyone"),
                    new Entry(1, "world", "anyone"),
                    new Entry(15, "world", "anyone"),
                    new Entry(31, "digest", U),
                    new Entry(16, "digest", U),
                    new Entry(9, "digest", "v:x"),
                    new Entry(31, "ip", "127.0.0.1"),
                    new Entry(3, "ip", "10.0.0.0/8"),
                    new Entry(31, "ip", "127.0.0.0/8"),
                    new Entry(31, "auth", ""),
                    new Entry(17, "auth", "whoever"),
                    new Entry(0, "world", "anyone"),
                    new Entry(-1, "world", "anyone"));

    private static final List<Entry> BAD =
            List.of(
                    new Entry(31, "world", "other"),
                    new Entry(31, "none", "x"),
                    new Entry(31, "digest", "nocolon"),
                    new Entry(31, "digest", "a:b:c"),
                    new Entry(31, "digest", "u:"),
                    new Entry(31, "digest", ":h"),
                    new Entry(31, "ip", "1.2.3"),
                    new Entry(31, "ip", "1.2.3.4/33"),
                    new Entry(31, "ip", "::1/64"),
                    new Entry(31, "super", ""),
                    new Entry(31, "", ""));

    /// Alone in their list: the original fails at any longer one, even if it takes the entry.
    private static final List<Entry> NULLS =
            List.of(
                    new Entry(31, null, "x"),
                    new Entry(31, "digest", null),
                    new Entry(31, "world", null),
                    new Entry(31, "auth", null));

    private record Entry(int perms, String scheme, String id) {
        @Override
        public String toString() {
            return perms + ":" + scheme + ":" + id;
        }
    }

    /// @param entries null for a list that is null
    record Entries(List<Entry> entries) {
        Bytes write(Bytes out) {
            if (entries == null) {
                return out.number(-1);
            }
            out.number(entries.size());
            entries.forEach(e -> out.number(e.perms).text(e.scheme).text(e.id));
            return out;
        }

        @Override
        public String toString() {
            return "" + entries;
        }
    }

    private Acls() {}

    static Entries open() {
        return new Entries(GOOD.subList(0, 1));
    }

    static Entries any(Random random) {
        if (random.nextInt(20) == 0) {
            return new Entries(random.nextBoolean() ? null : List.of());
        }
        if (random.nextInt(40) == 0) {
            return new Entries(List.of(NULLS.get(random.nextInt(NULLS.size()))));
        }
        List<Entry> entries = new ArrayList<>();
        int count = 1 + random.nextInt(3);
        for (int i = 0; i < count; i++) {
            List<Entry> from = random.nextInt(10) == 0 ? BAD : GOOD;
            entries.add(from.get(random.nextInt(from.size())));
        }
        Collections.shuffle(entries, random);
        return new Entries(List.copyOf(entries));
    }
}
