package dev.ensemble.server.tool.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.tool.client.Answer;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The commands that set, show and take away quotas: znodes below `/zookeeper/quota`, where servers
/// look for them.
final class Quotas {
    private static final String ROOT = "/zookeeper/quota";
    private static final String LIMITS = "/zookeeper_limits";
    private static final String STATS = "/zookeeper_stats";
    private static final String PREFIX = "zookeeper_";

    /// Options, with what they limit.
    private static final Map<Character, String> LIMIT_OF =
            Map.of('n', "count", 'b', "bytes", 'N', "countHardLimit", 'B', "byteHardLimit");

    private Quotas() {}

    /// Numbers by name, -1 for no limit.
    private record Numbers(Map<String, Long> byName) {
        static Numbers none() {
            var numbers = new LinkedHashMap<String, Long>();
            for (String name : List.of("count", "bytes", "byteHardLimit", "countHardLimit")) {
                numbers.put(name, -1L);
            }
            return new Numbers(numbers);
        }

        static Numbers parse(String text) throws WrongUsage {
            var numbers = new LinkedHashMap<String, Long>();
            for (String pair : text.split("[,;]+", -1)) {
                String[] parts = pair.split("=", -1);
                try {
                    numbers.put(parts[0], Long.parseLong(parts[1]));
                } catch (NumberFormatException | ArrayIndexOutOfBoundsException _) {
                    throw new WrongUsage("this is no quota: " + text);
                }
            }
            return new Numbers(numbers);
        }

        @Override
        public String toString() {
            var text = new StringBuilder();
            text.append("count=").append(byName.getOrDefault("count", -1L));
            text.append(",bytes=").append(byName.getOrDefault("bytes", -1L));
            // Behind an equals sign older readers take no notice of the rest.
            String separator = "=;";
            for (String name : byName.keySet().stream().sorted().toList()) {
                if (!name.equals("count") && !name.equals("bytes")) {
                    text.append(separator).append(name).append('=').append(byName.get(name));
                    separator = ";";
                }
            }
            return text.toString();
        }
    }

    static void set(Shell shell, Arguments args) throws IOException, Refused, WrongUsage {
        String path = shell.real(args.word(0));
        if (path.startsWith(ROOT)) {
            throw new WrongUsage("cannot set a quota under the path: " + ROOT);
        }
        if (args.options().isEmpty()) {
            throw new WrongUsage("usage: " + Commands.usage("setquota"));
        }
        var limits = new LinkedHashMap<String, Long>();
        for (Map.Entry<Character, String> option : args.options().entrySet()) {
            limits.put(
                    LIMIT_OF.getOrDefault(option.getKey(), ""),
                    limit(option.getKey(), option.getValue()));
        }
        if (!shell.call(new Request.Exists(path, false)).ok()) {
            throw new WrongUsage(args.word(0) + " does not exist.");
        }
        refuseNested(shell, path);
        String at = makeParents(shell, path);
        String before = text(shell, at + LIMITS);
        Numbers numbers = before == null ? Numbers.none() : Numbers.parse(before);
        numbers.byName().putAll(limits);
        byte[] data = numbers.toString().getBytes(UTF_8);
        if (before == null) {
            shell.ask(create(at + LIMITS, data), at + LIMITS);
            shell.ask(create(at + STATS, "count=0,bytes=0".getBytes(UTF_8)), at + STATS);
        } else {
            shell.ask(new Request.SetData(at + LIMITS, data, -1), at + LIMITS);
        }
    }

    private static long limit(char option, String text) throws WrongUsage {
        try {
            long limit = Long.parseLong(text);
            if (limit >= 0) {
                return limit;
            }
        } catch (NumberFormatException _) {
            // Said below.
        }
        throw new WrongUsage(
                "-" + option + " " + text + ": a quota must be a whole number of at least 0");
    }

    /// A znode has one quota at most, its own or that of a znode above it.
    private static void refuseNested(Shell shell, String path)
            throws IOException, Refused, WrongUsage {
        for (int slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1)) {
            String above = ROOT + path.substring(0, slash);
            if (text(shell, above + LIMITS) != null) {
                throw new WrongUsage(path + " has a parent " + above + " which has a quota");
            }
        }
        for (String child : children(shell, ROOT + path)) {
            if (!child.startsWith(PREFIX)) {
                throw new WrongUsage(path + " has child " + child + " which has a quota");
            }
        }
    }

    private static String makeParents(Shell shell, String path) throws IOException, Refused {
        for (int slash = path.indexOf('/', 1); ; slash = path.indexOf('/', slash + 1)) {
            String next = ROOT + (slash < 0 ? path : path.substring(0, slash));
            Answer made = shell.call(create(next, null));
            if (!made.ok() && !made.is(Code.NODE_EXISTS)) {
                throw Refused.of(made, next);
            }
            if (slash < 0) {
                return next;
            }
        }
    }

    private static Request create(String path, byte @Nullable [] data) {
        return new Request.Create(Request.CreateOp.CREATE, path, data, Acl.OPEN, 0, 0);
    }

    static void list(Shell shell, Arguments args) throws IOException, Refused, WrongUsage {
        String path = args.word(0);
        String at = ROOT + shell.real(path);
        shell.note("absolute path is " + at + LIMITS);
        String limits = text(shell, at + LIMITS);
        String stats = text(shell, at + STATS);
        if (limits == null) {
            shell.note("quota for " + path + " does not exist.");
            return;
        }
        shell.print("Output quota for " + path + " " + limits);
        if (stats != null) {
            shell.print("Output stat for " + path + " " + stats);
        }
    }

    static void delete(Shell shell, Arguments args) throws IOException, Refused, WrongUsage {
        String at = ROOT + shell.real(args.word(0));
        String before = text(shell, at + LIMITS);
        if (before == null) {
            shell.print("Quota does not exist for " + args.word(0));
            return;
        }
        if (args.options().isEmpty()) {
            for (String child : children(shell, at)) {
                shell.ask(new Request.Delete(at + "/" + child, -1), at + "/" + child);
            }
            trim(shell, at);
            return;
        }
        Numbers numbers = Numbers.parse(before);
        args.options()
                .keySet()
                .forEach(option -> numbers.byName().put(LIMIT_OF.getOrDefault(option, ""), -1L));
        byte[] data = numbers.toString().getBytes(UTF_8);
        shell.ask(new Request.SetData(at + LIMITS, data, -1), at + LIMITS);
    }

    /// Deletes upwards what nobody needs any more.
    private static void trim(Shell shell, String path) throws IOException, Refused {
        String at = path;
        while (!at.equals(ROOT) && children(shell, at).isEmpty()) {
            shell.ask(new Request.Delete(at, -1), at);
            at = at.substring(0, at.lastIndexOf('/'));
        }
    }

    private static List<String> children(Shell shell, String path) throws IOException {
        return shell.call(new Request.GetChildren(path, false, false)).reply()
                        instanceof Reply.Children children
                ? children.names()
                : List.of();
    }

    private static @Nullable String text(Shell shell, String path) throws IOException, Refused {
        Answer answer = shell.call(new Request.GetData(path, false));
        if (answer.is(Code.NO_NODE)) {
            return null;
        }
        if (!(answer.reply() instanceof Reply.Data got)) {
            throw Refused.of(answer, path);
        }
        return got.data() == null ? "" : new String(got.data(), UTF_8);
    }
}
