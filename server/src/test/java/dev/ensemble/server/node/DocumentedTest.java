package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ensemble.server.wire.Op;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/// The tables in `docs` are whole and right: what they say is compared with what the code knows.
final class DocumentedTest {
    /// {@return the first column of a page's tables, without quotes, and the column with a number}
    static Map<String, String> table(String page, int column) throws IOException {
        var rows = new TreeMap<String, String>();
        for (String line : Files.readAllLines(Path.of("docs", page))) {
            String[] cells = line.replace("\\|", "/").split("\\|", -1);
            if (cells.length > column + 1 && !line.startsWith("| ---")) {
                rows.put(cells[1].strip().replace("`", ""), cells[column].strip());
            }
        }
        return rows;
    }

    @Test
    void everyKeyIsInTheTableAndDoesWhatItSays() throws IOException {
        Map<String, String> told = table("configuration.md", 2);
        // These are families; the parser knows them by their beginning.
        told.keySet().removeIf(key -> key.endsWith("*") || key.contains(".N") || key.equals("Key"));
        var known = new TreeMap<String, String>();
        ConfigKeys.all()
                .forEach((key, use) ->
                        known.put(
                                key,
                                switch (use) {
                                    case ConfigKeys.Use.Read _ -> "supported";
                                    case ConfigKeys.Use.NotNeeded _ -> "no effect";
                                    case ConfigKeys.Use.Unsupported _ -> "not supported";
                                    case ConfigKeys.Use.RefusedUnless _ -> "refused";
                                }));
        assertEquals(lines(known), lines(told));
    }

    @Test
    void everyKeyThatCountsWithoutAStartIsInTheList() throws IOException {
        String page = Files.readString(Path.of("docs", "configuration.md"));
        String section =
                page.substring(
                        page.indexOf("## Changes while a member runs"), page.indexOf("## Keys"));
        var told = new TreeSet<String>();
        section.lines()
                .filter(line -> line.startsWith("* "))
                .map(line -> line.split(": ", 2)[0])
                .flatMap(line -> Pattern.compile("`([^`]+)`").matcher(line).results())
                .forEach(key -> told.add(key.group(1)));
        assertEquals(new TreeSet<>(ConfigKeys.live()), told);
        for (String key : told) {
            assertEquals(new ConfigKeys.Use.Read(), ConfigKeys.use(key), key);
        }
    }

    private static String lines(Map<String, String> map) {
        var text = new StringBuilder();
        map.forEach((key, value) -> text.append(key).append(": ").append(value).append('\n'));
        return text.toString();
    }

    @Test
    void everyOpcodeIsInTheTable() throws IOException, IllegalAccessException {
        var known = new TreeSet<Integer>();
        for (Field field : Op.class.getFields()) {
            if (Modifier.isStatic(field.getModifiers())) {
                known.add(field.getInt(null));
            }
        }
        var told = new TreeSet<Integer>();
        table("opcodes.md", 3)
                .forEach((number, here) -> {
                    if (here.equals("supported")) {
                        told.add(Integer.parseInt(number));
                    }
                });
        assertEquals(known, told);
    }
}
