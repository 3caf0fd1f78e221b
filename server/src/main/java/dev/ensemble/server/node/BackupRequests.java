package dev.ensemble.server.node;

import com.fasterxml.jackson.jr.ob.JSON;

import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.store.BackupFile;
import dev.ensemble.server.tree.Tree;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/// `POST /v1/backup`, by which an operator lets somebody else read a backup, and `GET /v1/backup`,
/// which is one (`server/docs/status.md`).
///
/// A backup is a version of the tree that this thread holds on to: it never changes while it is
/// written, and clients notice nothing. On the admin server's thread, but for the writing.
final class BackupRequests {
    static final String PATH = "/v1/backup";

    private static final Logger LOG = LoggerFactory.getLogger(BackupRequests.class);
    private static final String BEARER = "Bearer ";
    private static final int MAX_SECONDS = 3600;
    private static final Set<String> KEYS = Set.of("sha256", "seconds");

    /// Who may read a backup until when: whoever shows what has this hash.
    private record Permit(byte[] sha256, long untilNanos) {}

    private final Observed observed;
    private final Caller caller;
    private final AtomicBoolean busy = new AtomicBoolean();
    private @Nullable Permit permit;

    BackupRequests(Observed observed, Caller caller) {
        this.observed = observed;
        this.caller = caller;
    }

    HttpServer.Response answer(HttpServer.Request request) {
        return switch (request.method()) {
            case "POST" -> permit(request);
            case "GET" -> read(request);
            default -> AdminServer.wrongMethod("GET or POST");
        };
    }

    private HttpServer.Response permit(HttpServer.Request request) {
        HttpServer.Response refusal = caller.refusal(request);
        if (refusal == null) {
            refusal = unfit();
        }
        if (refusal != null) {
            return refusal;
        }
        try {
            Map<String, Object> body = JSON.std.mapFrom(request.body());
            for (String key : body.keySet()) {
                if (!KEYS.contains(key)) {
                    throw new IllegalArgumentException(
                            key + " is not known; valid are sha256 and seconds");
                }
            }
            long nanos = TimeUnit.SECONDS.toNanos(seconds(body.get("seconds")));
            permit = new Permit(hash(body.get("sha256")), System.nanoTime() + nanos);
        } catch (IOException _) {
            return refused(400, "the body must be a JSON object");
        } catch (IllegalArgumentException e) {
            return refused(400, String.valueOf(e.getMessage()));
        }
        Tree tree = observed.parts().clients().tree();
        return HttpServer.Response.json(200, new Json().put("zxid", Zxid.text(tree.zxid())));
    }

    private static int seconds(@Nullable Object value) {
        if (value instanceof Integer seconds && seconds >= 1 && seconds <= MAX_SECONDS) {
            return seconds;
        }
        throw new IllegalArgumentException(
                "seconds=" + value + " is not valid: it must be a number from 1 to " + MAX_SECONDS);
    }

    private static byte[] hash(@Nullable Object value) {
        if (value instanceof String text && text.matches("[0-9a-f]{64}")) {
            return HexFormat.of().parseHex(text);
        }
        throw new IllegalArgumentException(
                "sha256=" + value + " is not valid: it must be 64 hexadecimal digits");
    }

    private HttpServer.Response read(HttpServer.Request request) {
        HttpServer.Response refusal = isPermitted(request) ? null : caller.refusal(request);
        if (refusal == null) {
            refusal = unfit();
        }
        if (refusal != null) {
            return refusal;
        }
        if (!busy.compareAndSet(false, true)) {
            return refused(429, "another backup is being read from this member");
        }
        Tree tree = observed.parts().clients().tree();
        int myid = observed.config().myid();
        LOG.atInfo()
                .addKeyValue("zxid", Zxid.text(tree.zxid()))
                .addKeyValue("to", request.remote())
                .log("a backup is being read");
        return HttpServer.Response.stream(
                new HttpServer.Source() {
                    @Override
                    public void writeTo(OutputStream out) throws IOException {
                        BackupFile.write(tree, myid, System.currentTimeMillis(), out);
                    }

                    @Override
                    public void ended() {
                        busy.set(false);
                    }
                });
    }

    private boolean isPermitted(HttpServer.Request request) {
        Permit given = permit;
        String shown = request.authorization();
        return given != null
                && shown != null
                && shown.startsWith(BEARER)
                && System.nanoTime() - given.untilNanos() < 0
                && MessageDigest.isEqual(
                        given.sha256(),
                        HexFormat.of().parseHex(Config.sha256(shown.substring(BEARER.length()))));
    }

    /// {@return why no backup is to be taken from this member now; null if one may be}
    private HttpServer.@Nullable Response unfit() {
        String reason = observed.notReady();
        Facts facts = observed.facts();
        if (reason == null && facts != null && !facts.isInSync()) {
            reason = "out of sync";
        }
        if (reason != null || facts == null) {
            return refused(503, "this member has no backup to give: " + reason);
        }
        return facts.isLeader() && facts.configuration().members().size() > 1
                ? refused(409, "this member leads: a backup is taken from any other")
                : null;
    }

    private static HttpServer.Response refused(int status, String reason) {
        return HttpServer.Response.json(status, new Json().put("reason", reason));
    }
}
