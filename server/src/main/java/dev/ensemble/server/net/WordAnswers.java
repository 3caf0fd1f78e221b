package dev.ensemble.server.net;

import dev.ensemble.server.tree.Tree;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;

/// Finds out what a four-letter word asks for. Any thread.
final class WordAnswers {
    /// What ZooKeeper starts with. Tools set it and read it back; nothing here is traced by it.
    private static final long TRACE_MASK = 306;

    private final ClientServer server;
    private final ServerFacts facts;
    private final AtomicLong traceMask = new AtomicLong(TRACE_MASK);

    WordAnswers(ClientServer server, ServerFacts facts) {
        this.server = server;
        this.facts = facts;
    }

    long traceMask() {
        return traceMask.get();
    }

    void traceMask(long mask) {
        traceMask.set(mask);
    }

    boolean isAllowed(FourLetterWords.Word word) {
        Set<String> allowed = server.settings().fourLetterWords();
        return switch (word) {
            case SRVR -> true;
            // It has no name in the list: only all words together include it.
            case TELNET ->
                    Arrays.stream(FourLetterWords.Word.values())
                            .allMatch(each -> each == word || isAllowed(each));
            default -> allowed.contains("*") || allowed.contains(word.toString());
        };
    }

    /// @param argument what came behind the word, 0 for those that take none
    /// @param secure whether it was asked over TLS: connections are told of the same kind alone
    CompletionStage<String> answer(FourLetterWords.Word word, long argument, boolean secure) {
        if (!isAllowed(word)) {
            return done(FourLetterWords.notAllowed(word));
        }
        boolean serving = server.isServing();
        if (!serving && !server.isReadOnly() && !word.isAlwaysAnswered()) {
            String text = FourLetterWords.NOT_SERVING;
            return done(word == FourLetterWords.Word.HASH ? text.stripTrailing() : text);
        }
        Tree tree = server.tree();
        return switch (word) {
            case RUOK -> done("imok");
            case ISRO -> done(serving ? "rw" : server.isReadOnly() ? "ro" : "null");
            case SRVR -> done(FourLetterWords.server(facts, server.stats(), tree, null));
            case STAT ->
                    lines(false, secure)
                            .thenApply(lines ->
                                    FourLetterWords.server(facts, server.stats(), tree, lines));
            case MNTR -> done(FourLetterWords.monitor(facts, server.stats(), tree));
            case CONF -> done(facts.configuration());
            case ENVI -> done(FourLetterWords.environment(facts.environment()));
            case CONS -> lines(true, secure).thenApply(FourLetterWords::connections);
            case DUMP ->
                    facts.sessionDeadlines()
                            .thenCombine(
                                    server.connectionDeadlines(),
                                    (sessions, connections) ->
                                            FourLetterWords.dump(tree, sessions, connections));
            case WCHS -> server.watches().thenApply(FourLetterWords::watchSummary);
            case WCHC -> server.watches().thenApply(FourLetterWords::watchesBySession);
            case WCHP -> server.watches().thenApply(FourLetterWords::watchesByPath);
            case HASH -> done(FourLetterWords.digests(server.digests()));
            case DIRS -> done(FourLetterWords.directories(facts));
            case SRST -> server.resetStats().thenApply(_ -> "Server stats reset.\n");
            case CRST -> server.resetConnections().thenApply(_ -> "Connection stats reset.\n");
            case GTMK -> done(Long.toString(traceMask()));
            case STMK -> {
                traceMask(argument);
                yield done(Long.toString(argument));
            }
            case TELNET -> done("");
        };
    }

    private CompletionStage<List<String>> lines(boolean whole, boolean secure) {
        return server.connections()
                .thenApply(all ->
                        all.stream()
                                .filter(each -> each.secure() == secure)
                                .map(each -> each.line(whole))
                                .toList());
    }

    private static CompletionStage<String> done(String text) {
        return CompletableFuture.completedStage(text);
    }
}
