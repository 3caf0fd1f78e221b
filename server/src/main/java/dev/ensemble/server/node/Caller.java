package dev.ensemble.server.node;

import dev.ensemble.server.model.Identity;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;

/// Who may change something over the admin port: whoever can read this process's token file, from
/// this host; and for some requests whoever an operator's key vouches for.
final class Caller {
    private static final String BEARER = "Bearer ";

    private final Observed observed;
    private final @Nullable String token;
    private final @Nullable OperatorTokens operators;

    /// @param token of `admin.tokenFile`, null if the file is not configured
    Caller(Observed observed, @Nullable String token) {
        this.observed = observed;
        this.token = token;
        Path keys = observed.config().admin().operatorKeys();
        this.operators = keys == null ? null : new OperatorTokens(keys, System::currentTimeMillis);
    }

    /// {@return the refusal of a request that only this host may make, or null}
    HttpServer.@Nullable Response refusalUnlessHere(HttpServer.Request request) {
        if (token == null) {
            return HttpServer.Response.text(403, "admin.tokenFile is not set: there is no drain");
        }
        if (!request.remote().getAddress().isLoopbackAddress()) {
            return HttpServer.Response.text(403, "a drain is asked for from this host only");
        }
        String shown = bearer(request);
        return shown != null && isToken(shown)
                ? null
                : HttpServer.Response.text(401, "the token is missing or wrong");
    }

    /// {@return the refusal of a request that an operator may make too, or null}
    HttpServer.@Nullable Response refusal(HttpServer.Request request) {
        if (token == null && operators == null) {
            return HttpServer.Response.text(
                    403, "neither admin.tokenFile nor admin.operatorKeys is set");
        }
        String shown = bearer(request);
        if (shown == null) {
            return HttpServer.Response.text(401, "the token is missing");
        }
        if (request.remote().getAddress().isLoopbackAddress() && isToken(shown)) {
            return null;
        }
        String reason =
                operators == null
                        ? "the token is wrong, or comes from another host"
                        : operators.refusal(
                                shown,
                                ensembleId(),
                                request.method(),
                                request.path(),
                                request.body());
        return reason == null ? null : HttpServer.Response.text(401, reason);
    }

    private @Nullable String ensembleId() {
        Facts facts = observed.facts();
        return facts == null || facts.identity().state() != Identity.State.MEMBER
                ? null
                : facts.identity().ensembleId();
    }

    private static @Nullable String bearer(HttpServer.Request request) {
        String shown = request.authorization();
        return shown == null || !shown.startsWith(BEARER) ? null : shown.substring(BEARER.length());
    }

    /// In constant time.
    private boolean isToken(String shown) {
        return token != null
                && MessageDigest.isEqual(
                        shown.getBytes(StandardCharsets.UTF_8),
                        token.getBytes(StandardCharsets.UTF_8));
    }
}
