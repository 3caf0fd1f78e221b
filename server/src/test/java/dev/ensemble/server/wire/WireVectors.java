package dev.ensemble.server.wire;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The recorded frames of `wire-vectors.md`: what a client sent to a real ZooKeeper 3.9.5 and what
/// came back.
public final class WireVectors {
    /// What varies from run to run stands in angle brackets, `<SID8:A>`: name, bytes, connection.
    public static final Pattern VARIABLE = Pattern.compile("<(SID|PW|TIME)(\\d+)(?::([A-Z]))?>");

    /// @param name `V15`
    /// @param sent hexadecimal, with its length, perhaps with variables
    /// @param received the same, in order
    /// @param closed whether the server closes the connection behind them
    public record Vector(
            String name, String title, String sent, List<String> received, boolean closed) {
        @Override
        public String toString() {
            return name + " " + title;
        }
    }

    private WireVectors() {}

    public static List<Vector> all() {
        var vectors = new ArrayList<Vector>();
        Matcher section =
                Pattern.compile("^### (V\\d+) (.*)\\n```\\n([^`]*)```", Pattern.MULTILINE)
                        .matcher(text());
        while (section.find()) {
            vectors.add(
                    vector(section.group(1), section.group(2), section.group(3).lines().toList()));
        }
        return vectors;
    }

    private static Vector vector(String name, String title, List<String> lines) {
        String sent = lines.getFirst().substring(2);
        var received = lines.stream().skip(1).map(line -> line.substring(2)).toList();
        boolean closed = !received.isEmpty() && received.getLast().startsWith("(");
        return new Vector(
                name,
                title,
                sent,
                closed ? received.subList(0, received.size() - 1) : received,
                closed);
    }

    private static String text() {
        try (InputStream in = WireVectors.class.getResourceAsStream("/wire-vectors.md")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
