package dev.ensemble.operator.ensemble;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/// Asks members over HTTP. Safe to share between threads.
public final class HttpEnsembleClient implements EnsembleClient, AutoCloseable {
    private static final long MAX_ANSWER_BYTES = 1 << 20;

    private final HttpClient http;
    private final Duration timeout;
    private final ObjectMapper json = new ObjectMapper();

    /// @param timeout for connecting and answering together
    public HttpEnsembleClient(Duration timeout) {
        this.timeout = timeout;
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
