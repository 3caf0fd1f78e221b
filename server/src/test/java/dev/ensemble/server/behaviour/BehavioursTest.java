package dev.ensemble.server.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// The list of behaviours is whole, and every test that it names exists.
final class BehavioursTest {
    private static final int COUNT = 351;
    private static final int MOST_OPEN = 0;

    @Test
    void everyBehaviourIsListedOnce() throws IOException {
        assertEquals(
                IntStream.rangeClosed(1, COUNT).boxed().toList(),
                lines().stream().map(line -> Integer.valueOf(line.split(" ", 2)[0])).toList());
    }

    @Test
    void everyTestExists() throws IOException {
        for (String line : lines()) {
            String what = line.split(" ", 2)[1];
            if (what.startsWith("- ") || isOpen(line)) {
                continue;
            }
            String[] parts = what.split("#", -1);
            assertEquals(2, parts.length, line);
            assertTrue(hasTest(line, parts[0], parts[1]), line);
        }
    }

    /// What is open is no secret: a line says what is missing, and their number may only fall.
    @Test
    void whatIsOpenIsToldAndGetsLess() throws IOException {
        List<String> open = lines().stream().filter(BehavioursTest::isOpen).toList();
        System.out.println(open.size() + " of " + COUNT + " behaviours are open");
        assertEquals(MOST_OPEN, open.size(), () -> String.join("\n", open));
        for (String line : open) {
            assertTrue(line.split(" ", 3).length == 3, "say what is missing: " + line);
        }
    }

    private static boolean isOpen(String line) {
        String what = line.split(" ", 2)[1];
        return what.equals("open") || what.startsWith("open ");
    }

    private static boolean hasTest(String line, String type, String method) {
        try {
            Class<?> found =
                    Class.forName(
                            "dev.ensemble.server." + type,
                            false,
                            BehavioursTest.class.getClassLoader());
            return Arrays.stream(found.getDeclaredMethods())
                    .filter(each -> each.getName().equals(method))
                    .flatMap(each -> Arrays.stream(each.getDeclaredAnnotations()))
                    .map(annotation -> annotation.annotationType().getSimpleName())
                    .anyMatch(name -> name.equals("Test") || name.equals("ParameterizedTest"));
        } catch (ClassNotFoundException _) {
            return fail("no such class: " + line);
        }
    }

    private static List<String> lines() throws IOException {
        try (InputStream in = BehavioursTest.class.getResourceAsStream("/behaviours.txt")) {
            assertNotNull(in);
            return new String(in.readAllBytes(), UTF_8)
                    .lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .toList();
        }
    }
}
