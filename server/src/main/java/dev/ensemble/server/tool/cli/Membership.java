package dev.ensemble.server.tool.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// The commands that show and change who belongs to the ensemble.
final class Membership {
    private static final String CONFIG = "/zookeeper/config";
    private static final String VERSION = "version=";

    private Membership() {}

    static void config(Shell shell, Arguments args) throws IOException, Refused {
        if (shell.ask(new Request.GetData(CONFIG, args.has('w')), CONFIG)
                instanceof Reply.Data got) {
            String text = got.data() == null ? "" : new String(got.data(), UTF_8);
            shell.print(args.has('c') ? forClients(text) : text);
            if (args.has('s')) {
                shell.print(got.stat());
            }
        }
    }

    /// {@return the version, then where clients connect}
    private static String forClients(String text) {
        String version = "";
        var addresses = new ArrayList<String>();
        for (String line : text.lines().toList()) {
            int semicolon = line.indexOf(';');
            if (line.startsWith(VERSION)) {
                version = line.substring(VERSION.length());
            } else if (line.startsWith("server.") && semicolon >= 0) {
                String address = line.substring(semicolon + 1);
                addresses.add(address.contains(":") ? address : "0.0.0.0:" + address);
            }
        }
        return version + " " + String.join(",", addresses);
    }

    static void reconfig(Shell shell, Arguments args) throws IOException, Refused, WrongUsage {
        boolean whole = args.has('f') || args.has('m');
        boolean steps = args.has('a') || args.has('r');
        if (whole && steps) {
            throw new WrongUsage(
                    "Can't use -file or -members together with -add or -remove (mixing"
                            + " incremental and non-incremental modes is not allowed)");
        }
        if (args.has('f') && args.has('m')) {
            throw new WrongUsage(
                    "Can't use -file and -members together (conflicting non-incremental modes)");
        }
        if (!whole && !steps) {
            throw new WrongUsage("usage: " + Commands.usage("reconfig"));
        }
        String file = args.options().get('f');
        var request =
                new Request.Reconfig(
                        list(args, 'a'),
                        list(args, 'r'),
                        file == null ? list(args, 'm') : members(file),
                        version(args));
        if (shell.ask(request, "reconfig") instanceof Reply.Data got) {
            shell.print("Committed new configuration:");
            shell.print(got.data() == null ? "" : new String(got.data(), UTF_8));
            if (args.has('s')) {
                shell.print(got.stat());
            }
        }
    }

    private static @Nullable String list(Arguments args, char option) {
        String value = args.options().get(option);
        return value == null ? null : value.toLowerCase(Locale.ROOT);
    }

    /// {@return the members of a file with lines `server.N=...`, with commas between}
    private static String members(String file) throws WrongUsage, IOException {
        List<String> lines;
        try {
            lines = Files.readAllLines(Path.of(file));
        } catch (NoSuchFileException _) {
            throw new WrongUsage("-file " + file + ": there is no such file");
        }
        String members =
                lines.stream()
                        .map(String::strip)
                        .filter(line -> line.matches("(server|group|weight)\\..*"))
                        .collect(Collectors.joining(","));
        if (members.isEmpty()) {
            throw new WrongUsage("-file " + file + ": it has no line server.N=...");
        }
        return members;
    }

    /// {@return the version of the configuration that is to be changed, in hexadecimal; -1: any}
    private static long version(Arguments args) throws WrongUsage {
        String version = args.options().get('v');
        if (version == null) {
            return -1;
        }
        try {
            return Long.parseLong(version, 16);
        } catch (NumberFormatException _) {
            throw new WrongUsage(
                    "-v " + version + ": the version of a configuration is hexadecimal");
        }
    }
}
