package dev.ensemble.server.tool.cli;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.tool.client.Answer;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// The commands that go through a whole subtree.
final class Subtrees {
    /// How many requests are in flight at once, unless the user says otherwise.
    private static final int BATCH = 1000;

    private Subtrees() {}

    private interface Visitor {
        void visit(String path) throws IOException, Refused, WrongUsage;
    }

    /// Prints every path from here down.
    static void list(Shell shell, String root) throws IOException, Refused, WrongUsage {
        walk(shell, root, shell::print);
    }

    /// Level by level, as the original does. What is gone before its turn is left out, unless it is
    /// the root.
    private static void walk(Shell shell, String root, Visitor visitor)
            throws IOException, Refused, WrongUsage {
        var left = new ArrayDeque<String>();
        left.add(root);
        while (!left.isEmpty()) {
            String path = left.remove();
            Answer answer = shell.call(new Request.GetChildren(shell.real(path), false, false));
            if (answer.is(Code.NO_NODE) && !path.equals(root)) {
                continue;
            }
            if (!(answer.reply() instanceof Reply.Children(var names, _))) {
                throw Refused.of(answer, path);
            }
            if (path.equals(root)) {
                visitor.visit(root);
            }
            for (String name : names.stream().sorted().toList()) {
                String child = path.equals("/") ? "/" + name : path + "/" + name;
                visitor.visit(child);
                left.add(child);
            }
        }
    }

    /// Deletes a subtree, children before parents. Others may delete in it too.
    static void deleteAll(Shell shell, Arguments args) throws IOException, Refused, WrongUsage {
        String root = args.word(0);
        if (root.equals("/")) {
            throw new WrongUsage("deleteall / would delete everything; name a path below it");
        }
        int batch = batch(args.options().getOrDefault('b', Integer.toString(BATCH)));
        var paths = new ArrayList<String>();
        walk(shell, root, paths::add);
        var inFlight = new ArrayDeque<CompletableFuture<Answer>>();
        var asked = new ArrayDeque<String>();
        for (String path : paths.reversed()) {
            if (inFlight.size() == batch) {
                deleted(shell, inFlight.remove(), asked.remove());
            }
            inFlight.add(shell.client().send(new Request.Delete(shell.real(path), -1)));
            asked.add(path);
        }
        while (!inFlight.isEmpty()) {
            deleted(shell, inFlight.remove(), asked.remove());
        }
    }

    private static void deleted(Shell shell, CompletableFuture<Answer> sent, String path)
            throws IOException, Refused {
        Answer answer = shell.client().await(sent);
        if (!answer.ok() && !answer.is(Code.NO_NODE)) {
            throw Refused.of(answer, path);
        }
    }

    private static int batch(String text) throws WrongUsage {
        try {
            int batch = Integer.parseInt(text);
            if (batch >= 1 && batch <= 10 * BATCH) {
                return batch;
            }
        } catch (NumberFormatException _) {
            // Said below.
        }
        throw new WrongUsage(
                "-b " + text + ": the batch size must be a whole number from 1 to " + 10 * BATCH);
    }

    static void setAcl(Shell shell, String root, List<Acl> acl, Arguments args)
            throws IOException, Refused, WrongUsage {
        int version = args.version();
        walk(
                shell,
                root,
                path -> {
                    var request = new Request.SetAcl(shell.real(path), acl, version);
                    Commands.printStatIfAsked(shell, args, shell.ask(request, path));
                });
    }
}
