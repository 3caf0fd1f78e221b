package dev.ensemble.server.differential;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Answers in which ours differs from the original on purpose. `server/docs/testing.md` lists them
/// too.
final class Exceptions {
    private static final Pattern ANSWER = Pattern.compile("answer at -?\\d+: (-?\\d+) .*<- (.*)");

    /// @param op part of the text of the request
    /// @param original error number of the original
    /// @param ours error number of ours
    private record Allowed(Pattern op, int original, int ours, String reason) {}

    private static final List<Allowed> ALL =
            List.of(
                    new Allowed(
                            Pattern.compile("(create|setAcl).*:null]"),
                            -5,
                            -114,
                            "an ACL entry without an id is not valid; the original fails over it"),
                    new Allowed(
                            Pattern.compile("multi.*create.*:null]"),
                            -5,
                            0,
                            "the same in a multi: the answer tells which part was refused"),
                    new Allowed(
                            Pattern.compile("multi.*create\\(21\\).*changed at"),
                            0,
                            -5,
                            "flags that nobody knows, of a createTTL in a multi, spoil it all"));

    private Exceptions() {}

    /// {@return whether there may be a difference, also in whether a refusal has a zxid}
    static boolean concern(Op op) {
        return ALL.stream().anyMatch(e -> e.op.matcher(op.text()).find());
    }

    /// {@return whether these lines may differ in this way}
    static boolean allow(String original, String ours) {
        Matcher one = ANSWER.matcher(original);
        Matcher two = ANSWER.matcher(ours);
        if (!one.matches() || !two.matches() || !one.group(2).equals(two.group(2))) {
            return false;
        }
        int expected = Integer.parseInt(one.group(1));
        int got = Integer.parseInt(two.group(1));
        return ALL.stream()
                .anyMatch(e ->
                        e.original == expected
                                && e.ours == got
                                && e.op.matcher(one.group(2)).find());
    }
}
