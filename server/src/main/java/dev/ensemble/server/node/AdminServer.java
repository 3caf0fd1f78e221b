package dev.ensemble.server.node;

import dev.ensemble.server.tls.Tls;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/// The admin port: health, status, the drain, and ZooKeeper's commands (`server/docs/status.md`).
final class AdminServer implements AutoCloseable {
    private final Observed observed;
    private final Commands commands;
    private final String commandUrl;
    private final Caller caller;
    private final ChangeRequests changes;
    private final BackupRequests backups;
    private final Supplier<CompletionStage<?>> drain;
    private final HttpServer server;

    /// @param token that a drain must show; null: there is no drain over HTTP
    /// @param changes does what changes the ensemble
    /// @param drain begins a drain or joins the one that is going on
    /// @param tls null: there is no HTTPS
    AdminServer(
            Observed observed,
            Commands commands,
            @Nullable String token,
            ChangeRequests changes,
            Supplier<CompletionStage<?>> drain,
            @Nullable Tls tls)
            throws IOException {
        Config.Admin admin = observed.config().admin();
        this.observed = observed;
        this.commands = commands;
        this.commandUrl = admin.commandUrl();
        this.caller = new Caller(observed, token);
        this.changes = changes;
        this.backups = new BackupRequests(observed, caller);
        this.drain = drain;
        this.server =
                new HttpServer(
                        "admin-http",
                        admin.endpoint().toSocketAddress(),
                        admin.idleTimeoutMillis(),
                        this::answer,
                        tls,
                        observed.config().tls().admin() != Config.Https.ONLY);
    }

    int port() {
        return server.port();
    }

    @Override
    public void close() {
        server.close();
    }

    private CompletionStage<HttpServer.Response> answer(HttpServer.Request request) {
        String path = request.path();
        if (path.equals("/v1/drain")) {
            return request.method().equals("POST") ? drain(request) : done(wrongMethod("POST"));
        }
        if (path.equals(ChangeRequests.TRANSFER) || path.equals(ChangeRequests.MEMBERS)) {
            return request.method().equals("POST") ? change(request) : done(wrongMethod("POST"));
        }
        if (path.equals(BackupRequests.PATH)) {
            return done(backups.answer(request));
        }
        boolean command = path.equals(commandUrl) || path.startsWith(commandUrl + "/");
        boolean known =
                switch (path) {
                    case "/livez", "/startupz", "/readyz", "/v1/status" -> true;
                    default -> command;
                };
        if (!known) {
            return done(HttpServer.Response.text(404, "nothing is here"));
        }
        if (command) {
            return command(request);
        }
        return done(request.isGet() ? fact(path) : wrongMethod("GET"));
    }

    private HttpServer.Response fact(String path) {
        Facts facts = observed.facts();
        return switch (path) {
            case "/livez" -> {
                String reason = observed.stuck();
                yield reason == null
                        ? HttpServer.Response.text(200, "ok")
                        : HttpServer.Response.text(503, reason);
            }
            case "/startupz" ->
                    facts == null
                            ? HttpServer.Response.text(503, "starting")
                            : HttpServer.Response.text(200, "ok");
            case "/readyz" -> {
                String reason = observed.notReady();
                yield reason == null
                        ? HttpServer.Response.text(200, "ok")
                        : HttpServer.Response.text(503, reason);
            }
            default ->
                    HttpServer.Response.json(
                            (facts == null
                                            ? StatusReport.starting(observed.config())
                                            : StatusReport.of(observed, facts))
                                    .toString());
        };
    }

    private CompletionStage<HttpServer.Response> command(HttpServer.Request request) {
        String path = request.path();
        String name = path.substring(Math.min(path.length(), commandUrl.length() + 1));
        if (!name.isEmpty()) {
            return commands.run(name, request);
        }
        return done(request.isGet() ? commands.index(commandUrl) : wrongMethod("GET"));
    }

    private CompletionStage<HttpServer.Response> drain(HttpServer.Request request) {
        HttpServer.Response refusal = caller.refusalUnlessHere(request);
        return refusal != null
                ? done(refusal)
                : drain.get().thenApply(_ -> HttpServer.Response.text(200, "drained"));
    }

    private CompletionStage<HttpServer.Response> change(HttpServer.Request request) {
        HttpServer.Response refusal = caller.refusal(request);
        return refusal != null ? done(refusal) : changes.answer(request);
    }

    static HttpServer.Response wrongMethod(String right) {
        return HttpServer.Response.text(405, "the method must be " + right);
    }

    private static CompletionStage<HttpServer.Response> done(HttpServer.Response response) {
        return CompletableFuture.completedStage(response);
    }
}
