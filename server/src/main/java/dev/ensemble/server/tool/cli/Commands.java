package dev.ensemble.server.tool.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.node.Release;
import dev.ensemble.server.tool.client.Answer;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// All commands. Each does what the one of `zkCli.sh` with that name does.
public final class Commands {
    private static final int EPHEMERAL = 1;
    private static final int SEQUENTIAL = 2;
    private static final int CONTAINER = 4;
    private static final int TTL = 5;
    private static final int TTL_SEQUENTIAL = 6;

    /// How far back `history` goes.
    private static final int HISTORY_LINES = 10;

    static final Map<String, CliCommand> BY_NAME = new TreeMap<>();

    static {
        add(
                "addWatch [-m mode] path # optional mode is one of [PERSISTENT,"
                        + " PERSISTENT_RECURSIVE] - default is PERSISTENT_RECURSIVE",
                "",
                "m",
                1,
                1,
                Commands::addWatch);
        add("addauth scheme auth", "", "", 2, 2, Commands::addauth);
        add("close", "", "", 0, 0, (shell, _) -> shell.close());
        add("config [-c] [-w] [-s]", "cws", "", 0, 0, Membership::config);
        add("connect host:port", "", "", 1, 1, (shell, args) -> shell.connect(args.word(0)));
        add("create [-s] [-e] [-c] [-t ttl] path [data] [acl]", "sec", "t", 1, 3, Commands::create);
        add("delete [-v version] path", "", "v", 1, 1, Commands::delete);
        add("deleteall path [-b batch size]", "", "b", 1, 1, Subtrees::deleteAll);
        add("delquota [-n|-b|-N|-B] path", "nbNB", "", 1, 1, Quotas::delete);
        add("get [-s] [-w] [-b] [-x] path", "swbx", "", 1, 1, Commands::get);
        add("getAcl [-s] path", "s", "", 1, 1, Commands::getAcl);
        add("getAllChildrenNumber path", "", "", 1, 1, Commands::getAllChildrenNumber);
        add("getEphemerals path", "", "", 0, 1, Commands::getEphemerals);
        add("help", "", "", 0, 0, Commands::help);
        add("history", "", "", 0, 0, Commands::history);
        add("listquota path", "", "", 1, 1, Quotas::list);
        add("ls [-s] [-w] [-R] path", "swR", "", 1, 1, Commands::ls);
        add("printwatches on|off", "", "", 0, 1, Commands::printWatches);
        add("quit", "", "", 0, 0, (shell, _) -> shell.quit());
        add(
                "reconfig [-s] [-v version] [[-file path] | [-members"
                        + " serverID=host:port1:port2;port3[,...]*]] | [-add"
                        + " serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]",
                "s",
                "vfmar",
                0,
                0,
                Membership::reconfig);
        add("redo cmdno", "", "", 1, 1, Commands::redo);
        add("removewatches path [-c|-d|-a] [-l]", "cdal", "", 1, 1, Commands::removeWatches);
        add("set path data [-s] [-v version] [-b]", "sb", "v", 2, 2, Commands::set);
        add("setAcl [-s] [-v version] [-R] path acl", "sR", "v", 2, 2, Commands::setAcl);
        add("setquota -n|-b|-N|-B val path", "", "nbNB", 1, 1, Quotas::set);
        add("stat [-w] path", "w", "", 1, 1, Commands::stat);
        add("sync path", "", "", 1, 1, Commands::sync);
        add("version", "", "", 0, 0, Commands::version);
        add("whoami", "", "", 0, 0, Commands::whoami);
    }

    private Commands() {}

    private static void add(
            String usage,
            String flags,
            String valued,
            int least,
            int most,
            CliCommand.Action action) {
        int blank = usage.indexOf(' ');
        String name = blank < 0 ? usage : usage.substring(0, blank);
        BY_NAME.put(name, new CliCommand(name, usage, flags, valued, least, most, action));
    }

    static String usage(String name) {
        CliCommand command = BY_NAME.get(name);
        return command == null ? name : command.usage();
    }

    /// {@return the names of all commands, sorted}
    public static List<String> names() {
        return List.copyOf(BY_NAME.keySet());
    }

    private static void help(Shell shell, Arguments args) {
        BY_NAME.values().forEach(command -> shell.print("\t" + command.usage()));
    }

    private static void history(Shell shell, Arguments args) {
        List<String> lines = shell.history();
        for (int i = Math.max(0, lines.size() - 1 - HISTORY_LINES); i < lines.size(); i++) {
            shell.print(i + " - " + lines.get(i));
        }
    }

    private static void redo(Shell shell, Arguments args) throws IOException, Refused, WrongUsage {
        int number;
        try {
            number = Integer.parseInt(args.word(0));
        } catch (NumberFormatException _) {
            number = -1;
        }
        // Its own line is the last one, and may not be meant: it would go on for ever.
        if (number < 0 || number >= shell.history().size() - 1) {
            throw new WrongUsage("Command index out of range");
        }
        List<String> words = Arguments.split(shell.history().get(number));
        CliCommand command = BY_NAME.get(words.getFirst());
        if (command == null || command.name().equals("redo")) {
            throw new WrongUsage("No command");
        }
        shell.history().set(shell.history().size() - 1, shell.history().get(number));
        command.run(shell, words.subList(1, words.size()));
    }

    private static void printWatches(Shell shell, Arguments args) throws WrongUsage {
        String word = args.wordOrNull(0);
        if (word == null) {
            shell.print("printwatches is " + (shell.printsWatches() ? "on" : "off"));
        } else if (word.equals("on") || word.equals("off")) {
            shell.printWatches(word.equals("on"));
        } else {
            throw new WrongUsage("usage: printwatches on|off");
        }
    }

    private static void addauth(Shell shell, Arguments args) throws IOException, Refused {
        Answer answer = shell.client().authenticate(args.word(0), args.word(1).getBytes(UTF_8));
        if (!answer.ok()) {
            throw Refused.of(answer, "scheme " + args.word(0));
        }
    }

    private static void whoami(Shell shell, Arguments args) throws IOException, Refused {
        if (shell.ask(new Request.WhoAmI(), "whoami") instanceof Reply.Identities identities) {
            shell.print("Auth scheme: User");
            for (Id id : identities.users()) {
                shell.print(id.scheme() + ": " + id.id());
            }
        }
    }

    private static void version(Shell shell, Arguments args) {
        shell.print("ZooKeeper CLI version: " + Release.current().shown());
    }

    private static void addWatch(Shell shell, Arguments args)
            throws IOException, Refused, WrongUsage {
        String mode = args.options().getOrDefault('m', "PERSISTENT_RECURSIVE");
        int number =
                switch (mode.toUpperCase(Locale.ROOT)) {
                    case "PERSISTENT" -> 0;
                    case "PERSISTENT_RECURSIVE" -> 1;
                    default ->
                            throw new WrongUsage(
                                    "-m "
                                            + mode
                                            + ": the mode must be PERSISTENT or"
                                            + " PERSISTENT_RECURSIVE");
                };
        String path = args.word(0);
        shell.ask(new Request.AddWatch(shell.real(path), number), path);
    }

    /// Without -c or -d, or with -a, those of every kind. What -l asks for, to forget them here
    /// without a connection, has no use for one who has asked the server.
    private static void removeWatches(Shell shell, Arguments args)
            throws IOException, Refused, WrongUsage {
        int type = args.has('c') ? 1 : args.has('d') ? 2 : 3;
        String path = args.word(0);
        shell.ask(new Request.RemoveWatches(shell.real(path), type), path);
    }

    private static void create(Shell shell, Arguments args)
            throws IOException, Refused, WrongUsage {
        String path = args.word(0);
        String data = args.wordOrNull(1);
        String acl = args.wordOrNull(2);
        boolean sequential = args.has('s');
        long ttl = 0;
        var op = Request.CreateOp.CREATE;
        int flags = (args.has('e') ? EPHEMERAL : 0) | (sequential ? SEQUENTIAL : 0);
        if (args.has('c')) {
            if (flags != 0 || args.has('t')) {
                throw new WrongUsage("-c cannot be combined with -s, -e or -t");
            }
            op = Request.CreateOp.CONTAINER;
            flags = CONTAINER;
        } else if (args.has('t')) {
            if (args.has('e')) {
                throw new WrongUsage("TTLs cannot be used with Ephemeral znodes");
            }
            ttl = ttl(args.options().getOrDefault('t', ""));
            op = Request.CreateOp.TTL;
            flags = sequential ? TTL_SEQUENTIAL : TTL;
        }
        var request =
                new Request.Create(
                        op,
                        shell.real(path),
                        data == null ? null : data.getBytes(UTF_8),
                        acl == null ? Acl.OPEN : Acls.parse(acl),
                        flags,
                        ttl);
        String created =
                switch (shell.ask(request, path)) {
                    case Reply.Path(String text) when text != null -> text;
                    case Reply.Created(String text, _) -> text;
                    case Reply _ -> path;
                };
        shell.note("Created " + shell.shown(created));
    }

    private static long ttl(String text) throws WrongUsage {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException _) {
            throw new WrongUsage("-t argument must be a long value");
        }
    }

    private static void delete(Shell shell, Arguments args)
            throws IOException, Refused, WrongUsage {
        String path = args.word(0);
        shell.ask(new Request.Delete(shell.real(path), args.version()), path);
    }

    private static void get(Shell shell, Arguments args) throws IOException, Refused, WrongUsage {
        String path = args.word(0);
        Reply reply = shell.ask(new Request.GetData(shell.real(path), args.has('w')), path);
        if (reply instanceof Reply.Data got) {
            shell.print(text(got.data(), args));
            if (args.has('s')) {
                shell.print(got.stat());
            }
        }
    }

    private static String text(byte @Nullable [] data, Arguments args) {
        byte[] bytes = data == null ? "null".getBytes(UTF_8) : data;
        if (args.has('b')) {
            return Base64.getEncoder().encodeToString(bytes);
        }
        return args.has('x')
                ? ByteBufUtil.prettyHexDump(Unpooled.wrappedBuffer(bytes))
                : new String(bytes, UTF_8);
    }

    private static void set(Shell shell, Arguments args) throws IOException, Refused, WrongUsage {
        String path = args.word(0);
        byte[] data = args.has('b') ? base64(args.word(1)) : args.word(1).getBytes(UTF_8);
        Reply reply = shell.ask(new Request.SetData(shell.real(path), data, args.version()), path);
        printStatIfAsked(shell, args, reply);
    }

    private static byte[] base64(String text) throws WrongUsage {
        try {
            return Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            throw new WrongUsage("-b: the data is no base64: " + e.getMessage());
        }
    }

    static void printStatIfAsked(Shell shell, Arguments args, Reply reply) {
        if (args.has('s') && reply instanceof Reply.Stats stats) {
            shell.print(stats.stat());
        }
    }

    private static void stat(Shell shell, Arguments args) throws IOException, Refused, WrongUsage {
        String path = args.word(0);
        Reply reply = shell.ask(new Request.Exists(shell.real(path), args.has('w')), path);
        if (reply instanceof Reply.Stats stats) {
            shell.print(stats.stat());
        }
    }

    private static void ls(Shell shell, Arguments args) throws IOException, Refused, WrongUsage {
        if (args.has('R')) {
            Subtrees.list(shell, args.word(0));
            return;
        }
        String path = args.word(0);
        var request = new Request.GetChildren(shell.real(path), args.has('w'), args.has('s'));
        if (shell.ask(request, path) instanceof Reply.Children children) {
            shell.print(children.names().stream().sorted().toList().toString());
            if (children.stat() != null) {
                shell.print(children.stat());
            }
        }
    }

    private static void getAcl(Shell shell, Arguments args)
            throws IOException, Refused, WrongUsage {
        String path = args.word(0);
        Reply reply = shell.ask(new Request.GetAcl(shell.real(path)), path);
        if (reply instanceof Reply.AclList list) {
            Acls.lines(list.acl()).forEach(shell::print);
            if (args.has('s')) {
                shell.print(list.stat());
            }
        }
    }

    private static void setAcl(Shell shell, Arguments args)
            throws IOException, Refused, WrongUsage {
        List<Acl> acl = Acls.parse(args.word(1));
        if (args.has('R')) {
            Subtrees.setAcl(shell, args.word(0), acl, args);
            return;
        }
        String path = args.word(0);
        Reply reply = shell.ask(new Request.SetAcl(shell.real(path), acl, args.version()), path);
        printStatIfAsked(shell, args, reply);
    }

    private static void sync(Shell shell, Arguments args) throws IOException, Refused, WrongUsage {
        shell.ask(new Request.Sync(shell.real(args.word(0))), args.word(0));
        shell.print("Sync is OK");
    }

    private static void getAllChildrenNumber(Shell shell, Arguments args)
            throws IOException, Refused, WrongUsage {
        String path = args.word(0);
        Reply reply = shell.ask(new Request.GetAllChildrenNumber(shell.real(path)), path);
        if (reply instanceof Reply.Count(int count)) {
            shell.print(Integer.toString(count));
        }
    }

    private static void getEphemerals(Shell shell, Arguments args)
            throws IOException, Refused, WrongUsage {
        String prefix = args.words().isEmpty() ? "/" : args.word(0);
        Reply reply = shell.ask(new Request.GetEphemerals(shell.real(prefix)), prefix);
        if (reply instanceof Reply.Ephemerals(var paths)) {
            shell.print(paths.stream().map(shell::shown).toList().toString());
        }
    }
}
