package dev.ensemble.server.tool;

import com.fasterxml.jackson.jr.ob.JSON;

import picocli.CommandLine.Option;

import java.io.IOException;
import java.util.Map;

/// How commands that measure print what they found.
final class Figures {
    @Option(names = "--json", description = "One line of JSON instead of text.")
    private boolean json;

    void print(Map<?, ?> figures) throws IOException {
        if (json) {
            System.out.println(JSON.std.asString(figures));
        } else {
            print("", figures);
        }
    }

    private static void print(String prefix, Map<?, ?> figures) {
        figures.forEach((name, value) -> {
            if (value instanceof Map<?, ?> group) {
                print(prefix + name + ".", group);
            } else {
                System.out.println(prefix + name + " " + value);
            }
        });
    }
}
