package dev.ensemble.server.node;

import com.fasterxml.jackson.jr.ob.JSON;

import dev.ensemble.server.member.Answer;
import dev.ensemble.server.member.Input;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.MemberLine;
import dev.ensemble.server.model.Zxid;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;

/// `POST /v1/leadership:transfer` and `POST /v1/members`: JSON in, an order to the member, JSON
/// out. Any thread.
final class ChangeRequests {
    static final String TRANSFER = "/v1/leadership:transfer";
    static final String MEMBERS = "/v1/members";

    /// A change that a quorum does not commit stays open; who asked must not wait forever.
    private static final int ANSWER_SECONDS = 10;

    private static final long ANY_VERSION = -1;

    /// The member's thread, once it runs.
    interface Loop {
        CompletionStage<Answer> ask(LongFunction<Input> input);
    }

    private volatile @Nullable Loop loop;

    void started(Loop running) {
        loop = running;
    }

    CompletionStage<HttpServer.Response> answer(HttpServer.Request request) {
        Loop running = loop;
        if (running == null) {
            return done(new Answer.NotLeader("starting", 0));
        }
        try {
            LongFunction<Input> input =
                    request.path().equals(TRANSFER)
                            ? transfer(body(request, Set.of("to", "version")))
                            : members(body(request, Set.of("joining", "leaving", "version")));
            return running.ask(input)
                    .toCompletableFuture()
                    .completeOnTimeout(
                            new Answer.NotLeader("not committed yet; ask for the status", 0),
                            ANSWER_SECONDS,
                            TimeUnit.SECONDS)
                    .thenApply(ChangeRequests::response);
        } catch (IllegalArgumentException e) {
            return CompletableFuture.completedStage(
                    HttpServer.Response.json(400, new Json().put("reason", e.getMessage())));
        }
    }

    private static CompletionStage<HttpServer.Response> done(Answer answer) {
        return CompletableFuture.completedStage(response(answer));
    }

    private static HttpServer.Response response(Answer answer) {
        return switch (answer) {
            case Answer.Transferred(int leader) ->
                    HttpServer.Response.json(
                            200, new Json().put("leader", leader == 0 ? null : leader));
            case Answer.Changed(Ensemble ensemble) ->
                    HttpServer.Response.json(200, StatusReport.configuration(ensemble, false));
            case Answer.Refused(String reason, long version) ->
                    HttpServer.Response.json(
                            409,
                            new Json().put("reason", reason).put("version", Zxid.text(version)));
            case Answer.NotLeader(String reason, int leader) ->
                    HttpServer.Response.json(
                            503,
                            new Json()
                                    .put("reason", reason)
                                    .put("leader", leader == 0 ? null : leader));
        };
    }

    private static LongFunction<Input> transfer(Map<String, Object> body) {
        Object to = body.get("to");
        int successor = to == null ? 0 : myid("to", to);
        long version = version(body.get("version"));
        return ticket -> new Input.Transfer(ticket, successor, version);
    }

    private static LongFunction<Input> members(Map<String, Object> body) {
        var joining = new ArrayList<Ensemble.Member>();
        var ids = new HashSet<Integer>();
        for (Object each : list("joining", body.get("joining"))) {
            Ensemble.Member member = MemberLine.parse(String.valueOf(each));
            if (!ids.add(member.myid())) {
                throw new IllegalArgumentException("server." + member.myid() + " joins twice");
            }
            joining.add(member);
        }
        var leaving = new ArrayList<Integer>();
        for (Object each : list("leaving", body.get("leaving"))) {
            leaving.add(myid("leaving", each));
        }
        long version = version(body.get("version"));
        return ticket -> new Input.ChangeMembers(ticket, joining, leaving, version);
    }

    private static Map<String, Object> body(HttpServer.Request request, Set<String> known) {
        if (request.body().length == 0) {
            return Map.of();
        }
        Map<String, Object> body;
        try {
            body = JSON.std.mapFrom(request.body());
        } catch (IOException _) {
            throw new IllegalArgumentException("the body must be a JSON object");
        }
        for (String key : body.keySet()) {
            if (!known.contains(key)) {
                throw new IllegalArgumentException(key + " is not known; valid are " + known);
            }
        }
        return body;
    }

    private static List<?> list(String key, @Nullable Object value) {
        if (value == null) {
            return List.of();
        }
        if (value instanceof List<?> list) {
            return list;
        }
        throw new IllegalArgumentException(key + "=" + value + " is not valid: it must be a list");
    }

    private static int myid(String key, @Nullable Object value) {
        if (value instanceof Number number
                && number.doubleValue() == number.intValue()
                && number.intValue() >= 1
                && number.intValue() <= Ensemble.MAX_MYID) {
            return number.intValue();
        }
        throw new IllegalArgumentException(
                key
                        + "="
                        + value
                        + " is not valid: the id of a member is a number from 1 to "
                        + Ensemble.MAX_MYID);
    }

    private static long version(@Nullable Object value) {
        if (value == null) {
            return ANY_VERSION;
        }
        try {
            if (value instanceof String text && text.startsWith("0x")) {
                long version = Long.parseUnsignedLong(text.substring(2), 16);
                if (version >= 0) {
                    return version;
                }
            }
        } catch (NumberFormatException _) {
            // As any other that is not valid.
        }
        throw new IllegalArgumentException(
                "version="
                        + value
                        + " is not valid: it must be text as in the status, 0x100000001");
    }
}
