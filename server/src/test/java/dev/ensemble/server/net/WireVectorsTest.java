package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.wire.WireVectors;
import dev.ensemble.server.wire.WireVectors.Vector;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Every recorded frame, sent to this server in order: the answers are the original's, byte for
/// byte.
final class WireVectorsTest {
    /// Names, ids and paths come in any order: here the same bytes must come, in any order.
    private static final Set<String> UNORDERED = Set.of("V19", "V26", "V35");

    /// Here attaching is a transaction: from the re-attach of V55 on, zxids are one higher.
    private static final Map<String, String> OTHER_ZXID =
            Map.of("V58", "0000001000000001000000000000001d00000000");

    private final Map<String, String> known = new HashMap<>();

    @Test
    void everyAnswerIsTheOriginals() throws IOException {
        try (var served = new ServedClients();
                RawClient a = served.client();
                RawClient b = served.client();
                RawClient again = served.client()) {
            for (Vector vector : WireVectors.all()) {
                switch (vector.name()) {
                    case "V02", "V29" -> check(vector, b);
                    case "V53", "V54" -> alone(served, vector, true);
                    case "V56", "V57", "V59" -> alone(served, vector, false);
                    case "V55" -> {
                        check(vector, again);
                        assertTrue(a.isClosedByServer(), "the session's first connection");
                    }
                    case "V58" -> {
                        check(vector, again);
                        assertTrue(again.isClosedByServer());
                    }
                    default -> check(vector, a);
                }
            }
        }
    }

    private void alone(ServedClients served, Vector vector, boolean connected) throws IOException {
        try (RawClient client = served.client()) {
            if (connected) {
                client.connect();
            }
            check(vector, client);
            assertTrue(client.isClosedByServer(), vector.toString());
        }
    }

    private void check(Vector vector, RawClient client) throws IOException {
        client.send(substitute(vector.sent()));
        List<String> expected =
                OTHER_ZXID.containsKey(vector.name())
                        ? List.of(OTHER_ZXID.get(vector.name()))
                        : vector.received();
        for (String frame : expected) {
            match(vector, frame, client.receive());
        }
    }

    private void match(Vector vector, String expected, String actual) {
        if (UNORDERED.contains(vector.name())) {
            String zeroed = WireVectors.VARIABLE.matcher(expected).replaceAll("0".repeat(16));
            assertEquals(
                    multiset(zeroed), multiset(withoutTimes(expected, actual)), vector.toString());
            return;
        }
        var pattern = new StringBuilder();
        Matcher variable = WireVectors.VARIABLE.matcher(expected);
        var names = new java.util.ArrayList<String>();
        int end = 0;
        while (variable.find()) {
            pattern.append(expected, end, variable.start());
            int digits = 2 * Integer.parseInt(variable.group(2));
            pattern.append("([0-9a-f]{").append(digits).append("})");
            names.add(variable.group());
            end = variable.end();
        }
        pattern.append(expected.substring(end));
        Matcher actually = Pattern.compile(pattern.toString()).matcher(actual);
        assertTrue(
                actually.matches(),
                () -> vector + "\nexpected " + expected + "\nbut was  " + actual);
        for (int i = 0; i < names.size(); i++) {
            String value = actually.group(i + 1);
            String before =
                    names.get(i).startsWith("<TIME") ? null : known.put(names.get(i), value);
            assertTrue(before == null || before.equals(value), vector + " " + names.get(i));
        }
    }

    private String substitute(String sent) {
        return WireVectors.VARIABLE
                .matcher(sent)
                .replaceAll(variable -> String.valueOf(known.get(variable.group())));
    }

    /// {@return the frame with zeroes where `expected` has a time}
    private static String withoutTimes(String expected, String frame) {
        var text = new StringBuilder(frame);
        Matcher variable = WireVectors.VARIABLE.matcher(expected);
        int shift = 0;
        while (variable.find()) {
            int at = variable.start() + shift;
            text.replace(at, at + 16, "0".repeat(16));
            shift += 16 - variable.group().length();
        }
        return text.toString();
    }

    private static List<String> multiset(String hex) {
        String[] bytes = hex.split("(?<=\\G..)");
        Arrays.sort(bytes);
        return List.of(bytes);
    }
}
