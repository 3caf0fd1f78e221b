package dev.ensemble.server.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;

/// The script for bash, in bash.
final class CompletionTest {
    @TempDir Path folder;

    @BeforeEach
    void writeScript() throws Exception {
        var out = new ByteArrayOutputStream();
        PrintStream usual = System.out;
        System.setOut(new PrintStream(out, true, UTF_8));
        try {
            assertEquals(0, Main.commandLine().execute("completion"));
        } finally {
            System.setOut(usual);
        }
        Files.write(folder.resolve("script"), out.toByteArray());
    }

    private Set<String> offers(String words, int word) throws Exception {
        Path errors = folder.resolve("errors");
        Process bash =
                new ProcessBuilder(
                                "bash",
                                "--norc",
                                "-c",
                                // Which bash has only while it completes.
                                "compopt() { :; }; source "
                                        + folder.resolve("script")
                                        + "; COMP_WORDS=("
                                        + words
                                        + "); COMP_CWORD="
                                        + word
                                        + "; _complete_ensemble; printf '%s\\n'"
                                        + " \"${COMPREPLY[@]}\"")
                        .redirectError(errors.toFile())
                        .start();
        String text = new String(bash.getInputStream().readAllBytes(), UTF_8);
        assertEquals(0, bash.waitFor(), () -> "bash failed");
        assertEquals("", Files.readString(errors));
        var offers = new TreeSet<String>();
        text.lines().map(String::strip).forEach(offers::add);
        return offers;
    }

    @Test
    void commandsAndOptionsAreOffered() throws Exception {
        assertEquals(Set.of("serve"), offers("ensemble se", 1));
        assertEquals(Set.of("up"), offers("ensemble u", 1));
        assertEquals(Set.of("--warm-up"), offers("ensemble bench --war", 2));
        assertEquals(Set.of("-client-configuration"), offers("ensemble cli -client", 2));
    }
}
