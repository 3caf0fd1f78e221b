package dev.ensemble.operator.ensemble;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/// Asks members over HTTP. Safe to share between threads.
public final class HttpEnsembleClient implements EnsembleClient, BackupClient, AutoCloseable {
    private static final long MAX_ANSWER_BYTES = 1 << 20;

    /// A change waits for its commit, and a hand-over for the successor.
    private static final Duration CHANGE = Duration.ofSeconds(10);

    private final HttpClient http;
    private final Duration timeout;
    private final @Nullable Tokens tokens;
    private final ObjectMapper json = new ObjectMapper();

    /// @param timeout for connecting and answering together
    public HttpEnsembleClient(Duration timeout) {
        this(timeout, null);
    }

    /// @param timeout for connecting and answering together
    /// @param tokens signs changes; null where none is asked for
    public HttpEnsembleClient(Duration timeout, @Nullable Tokens tokens) {
        this.timeout = timeout;
        this.tokens = tokens;
        // No proxy: a member is asked directly, whatever the environment says about the world
        // outside.
        http =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .proxy(HttpClient.Builder.NO_PROXY)
                        .connectTimeout(timeout)
                        .build();
    }

    @Override
    public Map<Integer, Answer> ask(Map<Integer, URI> members) {
        Map<Integer, CompletableFuture<Answer>> asked = new TreeMap<>();
        members.forEach((myid, root) -> asked.put(myid, ask(myid, root)));
        Map<Integer, Answer> answers = new TreeMap<>();
        asked.forEach((myid, answer) -> answers.put(myid, answer.join()));
        return answers;
    }

    private CompletableFuture<Answer> ask(int myid, URI root) {
        HttpRequest request =
                HttpRequest.newBuilder(root.resolve("/v1/status")).timeout(timeout).build();
        return http.sendAsync(
                        request, BodyHandlers.limiting(BodyHandlers.ofString(), MAX_ANSWER_BYTES))
                .orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
                .handle((response, failure) ->
                        failure == null
                                ? read(myid, response)
                                : new Answer.Unknown("does not answer: " + say(failure)));
    }

    private Answer read(int myid, HttpResponse<String> response) {
        if (response.statusCode() != 200) {
            return new Answer.Unknown("answers with HTTP status " + response.statusCode());
        }
        try {
            MemberStatus status = json.readValue(response.body(), MemberStatus.class);
            // An address may have passed to another pod meanwhile; its facts are not this member's.
            return status.myid() == myid
                    ? new Answer.Known(status)
                    : new Answer.Unknown("says that its myid is " + status.myid());
        } catch (JsonProcessingException e) {
            return new Answer.Unknown("answers what is no status: " + e.getOriginalMessage());
        }
    }

    @Override
    public Outcome changeVoters(URI leader, String audience, Change change) {
        ObjectNode body = json.createObjectNode().put("version", change.version());
        if (!change.add().isEmpty()) {
            ArrayNode joining = body.putArray("joining");
            change.add().forEach((myid, line) -> joining.add("server." + myid + "=" + line));
        }
        if (!change.remove().isEmpty()) {
            ArrayNode leaving = body.putArray("leaving");
            change.remove().forEach(leaving::add);
        }
        return post(leader, "/v1/members", audience, body.toString());
    }

    @Override
    public Outcome handOver(URI leader, String audience, int to) {
        return post(
                leader,
                "/v1/leadership:transfer",
                audience,
                json.createObjectNode().put("to", to).toString());
    }

    @Override
    public Outcome permitBackup(URI member, String audience, String sha256, int seconds) {
        return post(
                member,
                "/v1/backup",
                audience,
                json.createObjectNode().put("sha256", sha256).put("seconds", seconds).toString());
    }

    private Outcome post(URI leader, String path, String audience, String body) {
        if (tokens == null) {
            throw new IllegalStateException("this client has no key to sign a change with");
        }
        HttpRequest request =
                HttpRequest.newBuilder(leader.resolve(path))
                        .timeout(CHANGE)
                        .header("Content-Type", "application/json")
                        .header(
                                "Authorization",
                                "Bearer " + tokens.token(audience, "POST", path, body))
                        .POST(BodyPublishers.ofString(body))
                        .build();
        try {
            HttpResponse<String> response =
                    http.send(
                            request,
                            BodyHandlers.limiting(BodyHandlers.ofString(), MAX_ANSWER_BYTES));
            return response.statusCode() == 200
                    ? new Outcome.Done()
                    : new Outcome.Refused(reason(response));
        } catch (IOException e) {
            return new Outcome.Unknown("no answer: " + say(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Outcome.Unknown("the operator stops");
        }
    }

    private String reason(HttpResponse<String> response) {
        String status = "HTTP status " + response.statusCode();
        try {
            JsonNode reason = json.readTree(response.body()).path("reason");
            return reason.isTextual() ? reason.asText() + " (" + status + ")" : status;
        } catch (JsonProcessingException e) {
            return status;
        }
    }

    private static String say(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null
                        ? failure.getCause()
                        : failure;
        String message = cause.getMessage();
        return cause.getClass().getSimpleName() + (message == null ? "" : " " + message);
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
