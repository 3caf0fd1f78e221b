package dev.ensemble.operator.certificates;

import org.jspecify.annotations.Nullable;

import java.util.Map;
import java.util.TreeMap;

/// What is in the two Secrets of an ensemble: the authority's, which only the operator reads, and
/// the members', which is mounted into their pods.
///
/// @param current certificate of the authority that signs; null before there is one
/// @param currentKey its key; null if it is lost, and then it is only trusted
/// @param next the authority that will sign once everybody trusts it
/// @param previous certificates of authorities that signed before; empty if there are none
/// @param rotatedAt the wish for another authority that was heard last; empty if there was none
/// @param bundle whom the members trust, as the members' Secret has it
/// @param leaves what the members show, each with its key, by the name of the file
public record Keyring(
        @Nullable String current,
        @Nullable String currentKey,
        Maker.@Nullable Pair next,
        String previous,
        String rotatedAt,
        String bundle,
        Map<String, String> leaves) {
    /// Of both Secrets: whom to trust.
    public static final String TRUSTED = "ca.crt";

    private static final String CURRENT = "current.crt";
    private static final String CURRENT_KEY = "current.key";
    private static final String NEXT = "next.crt";
    private static final String NEXT_KEY = "next.key";
    private static final String PREVIOUS = "previous.crt";
    private static final String ROTATED_AT = "rotated-at";

    public Keyring {
        leaves = java.util.Collections.unmodifiableMap(new TreeMap<>(leaves));
    }

    /// {@return what the two Secrets hold}
    ///
    /// @param authority entries of the authority's Secret; empty if there is none
    /// @param members entries of the members' Secret; empty if there is none
    public static Keyring of(Map<String, String> authority, Map<String, String> members) {
        Map<String, String> leaves = new TreeMap<>(members);
        String bundle = leaves.remove(TRUSTED);
        String next = authority.get(NEXT);
        String nextKey = authority.get(NEXT_KEY);
        return new Keyring(
                authority.get(CURRENT),
                authority.get(CURRENT_KEY),
                next == null || nextKey == null ? null : new Maker.Pair(next, nextKey),
                authority.getOrDefault(PREVIOUS, ""),
                authority.getOrDefault(ROTATED_AT, ""),
                bundle == null ? "" : bundle,
                leaves);
    }

    /// {@return the entries of the authority's Secret}
    public Map<String, String> authority() {
        Map<String, String> entries = new TreeMap<>();
        put(entries, CURRENT, current);
        put(entries, CURRENT_KEY, currentKey);
        put(entries, NEXT, next == null ? null : next.certificate());
        put(entries, NEXT_KEY, next == null ? null : next.key());
        put(entries, PREVIOUS, previous.isEmpty() ? null : previous);
        put(entries, ROTATED_AT, rotatedAt.isEmpty() ? null : rotatedAt);
        return entries;
    }

    /// {@return the entries of the members' Secret}
    public Map<String, String> members() {
        Map<String, String> entries = new TreeMap<>(leaves);
        entries.put(TRUSTED, bundle);
        return entries;
    }

    private static void put(Map<String, String> entries, String key, @Nullable String value) {
        if (value != null) {
            entries.put(key, value);
        }
    }

    /// {@return whom to trust: who signs, who will, who did}
    String trusted() {
        return (current == null ? "" : current)
                + (next == null ? "" : next.certificate())
                + previous;
    }

    /// {@return the authority that can sign; null if its key is lost}
    Maker.@Nullable Pair signer() {
        return current == null || currentKey == null ? null : new Maker.Pair(current, currentKey);
    }
}
