package dev.ensemble.server.tool.cli;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The words of a command, with its options taken out: they may stand anywhere behind its name.
///
/// @param options by letter; the value is empty for those that take none
/// @param words what is left, in order
record Arguments(Map<Character, String> options, List<String> words) {
    private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|'([^']*)'|(\\S+)");

    /// {@return the words of a line; those in single or double quotes may hold blanks, and be
    /// empty}
    static List<String> split(String line) {
        var words = new ArrayList<String>();
        Matcher word = WORD.matcher(line);
        while (word.find()) {
            for (int group = 1; group <= 3; group++) {
                if (word.group(group) != null) {
                    words.add(word.group(group));
                }
            }
        }
        return words;
    }

    /// @param flags letters of options without a value; several may stand behind one hyphen
    /// @param valued letters of options with one
    static Arguments parse(List<String> given, String flags, String valued) throws WrongUsage {
        var options = new HashMap<Character, String>();
        var words = new ArrayList<String>();
        for (int i = 0; i < given.size(); i++) {
            String word = shortened(given.get(i), valued);
            if (word.length() < 2 || word.charAt(0) != '-' || Character.isDigit(word.charAt(1))) {
                words.add(word);
            } else if (valued.indexOf(word.charAt(1)) >= 0) {
                String value = word.substring(2);
                if (value.isEmpty()) {
                    i++;
                    if (i == given.size()) {
                        throw new WrongUsage("Missing argument for option: " + word.charAt(1));
                    }
                    value = given.get(i);
                }
                options.put(word.charAt(1), value);
            } else {
                for (int at = 1; at < word.length(); at++) {
                    char letter = word.charAt(at);
                    if (flags.indexOf(letter) < 0) {
                        throw new WrongUsage("Unrecognized option: " + word);
                    }
                    options.put(letter, "");
                }
            }
        }
        return new Arguments(Map.copyOf(options), List.copyOf(words));
    }

    /// {@return an option with a whole word as its name by its first letter, if that is one with a
    /// value}
    private static String shortened(String word, String valued) {
        return switch (word) {
            case "-file", "-members", "-add", "-remove" ->
                    valued.indexOf(word.charAt(1)) < 0 ? word : word.substring(0, 2);
            default -> word;
        };
    }

    boolean has(char option) {
        return options.containsKey(option);
    }

    String word(int index) {
        return words.get(index);
    }

    @Nullable String wordOrNull(int index) {
        return index < words.size() ? words.get(index) : null;
    }

    /// {@return the version that `-v` asks for; -1, which is any, without}
    int version() throws WrongUsage {
        String version = options.getOrDefault('v', "-1");
        try {
            return Integer.parseInt(version);
        } catch (NumberFormatException _) {
            throw new WrongUsage("-v " + version + ": the version must be a whole number");
        }
    }
}
