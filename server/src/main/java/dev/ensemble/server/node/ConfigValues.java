package dev.ensemble.server.node;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// The values of a configuration by key, each checked as it is asked for. Keys are without the
/// prefix `zookeeper.`.
final class ConfigValues {
    private static final String PREFIX = "zookeeper.";

    private final TreeMap<String, String> values = new TreeMap<>();
    private final List<String> warnings = new ArrayList<>();

    /// @param raw keys and values in the order of the file, each twice if it is there twice
    ConfigValues(List<Map.Entry<String, String>> raw) {
        for (Map.Entry<String, String> entry : raw) {
            String bare = bare(entry.getKey());
            String before = values.put(bare, entry.getValue());
            if (before != null && !before.equals(entry.getValue())) {
                warn(
                        bare
                                + " is given twice; "
                                + entry.getValue()
                                + " counts, "
                                + before
                                + " does not");
            }
        }
    }

    /// {@return the key without the prefix that ZooKeeper's system properties have}
    static String bare(String key) {
        return key.startsWith(PREFIX) ? key.substring(PREFIX.length()) : key;
    }

    void warn(String warning) {
        warnings.add(warning);
    }

    List<String> warnings() {
        return warnings;
    }

    Set<String> keys() {
        return values.keySet();
    }

    boolean has(String key) {
        return values.containsKey(key);
    }

    /// {@return keys and values whose key begins so, by the rest of the key}
    SortedMap<String, String> family(String prefix) {
        var family = new TreeMap<String, String>();
        for (Map.Entry<String, String> entry : values.tailMap(prefix, true).entrySet()) {
            if (!entry.getKey().startsWith(prefix)) {
                break;
            }
            family.put(entry.getKey().substring(prefix.length()), entry.getValue());
        }
        return family;
    }

    @Nullable String text(String key) {
        return values.get(key);
    }

    String text(String key, String byDefault) {
        return values.getOrDefault(key, byDefault);
    }

    /// {@return a whole number in decimal, or in hexadecimal with `0x`}
    int number(String key, int byDefault, int least, int most) throws InvalidConfig {
        String value = values.get(key);
        return value == null ? byDefault : number(key, value, value, least, most);
    }

    double decimal(String key, double byDefault) throws InvalidConfig {
        String value = values.get(key);
        try {
            double number = value == null ? byDefault : Double.parseDouble(value);
            if (Double.isFinite(number)) {
                return number;
            }
        } catch (NumberFormatException _) {
            // Said below.
        }
        throw InvalidConfig.of(key, String.valueOf(value), "it must be a number");
    }

    /// @param text the number; `value` is all that stands there, for the message
    static int number(String key, String value, String text, int least, int most)
            throws InvalidConfig {
        try {
            int number =
                    text.startsWith("0x")
                            ? Integer.parseInt(text.substring(2), 16)
                            : Integer.parseInt(text);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException _) {
            // Said below, like a number that is too large or too small.
        }
        String range =
                most == Integer.MAX_VALUE
                        ? "a whole number of at least " + least
                        : "a whole number from " + least + " to " + most;
        throw InvalidConfig.of(key, value, "it must be " + range);
    }

    boolean bool(String key, boolean byDefault) throws InvalidConfig {
        return oneOf(key, byDefault ? "true" : "false", List.of("true", "false")).equals("true");
    }

    /// A number from 0 to 1.
    double share(String key, double byDefault) throws InvalidConfig {
        String value = values.get(key);
        if (value == null) {
            return byDefault;
        }
        try {
            double number = Double.parseDouble(value);
            if (number >= 0 && number <= 1) {
                return number;
            }
        } catch (NumberFormatException _) {
            // Told below.
        }
        throw InvalidConfig.of(key, value, "it must be a number from 0 to 1");
    }

    boolean yes(String key, boolean byDefault) throws InvalidConfig {
        return oneOf(key, byDefault ? "yes" : "no", List.of("yes", "no")).equals("yes");
    }

    /// {@return one of the words, in lower case}
    String oneOf(String key, String byDefault, List<String> words) throws InvalidConfig {
        String value = values.getOrDefault(key, byDefault);
        String word = value.toLowerCase(Locale.ROOT);
        if (!words.contains(word)) {
            throw InvalidConfig.of(key, value, "it must be " + String.join(" or ", words));
        }
        return word;
    }
}
