package dev.ensemble.operator.tool;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import io.javaoperatorsdk.operator.Operator;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// `/metrics` and `/healthz` of the operator.
record OperatorHttp(HttpServer server, ExecutorService threads) implements AutoCloseable {
    static OperatorHttp start(int port, Operator operator, PrometheusMeterRegistry metrics)
            throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        server.setExecutor(threads);
        server.createContext(
                "/metrics",
                exchange ->
                        answer(
                                exchange,
                                HttpURLConnection.HTTP_OK,
                                "text/plain; version=0.0.4; charset=utf-8",
                                metrics.scrape()));
        server.createContext("/healthz", exchange -> health(exchange, operator));
        server.start();
        return new OperatorHttp(server, threads);
    }

    int port() {
        return server.getAddress().getPort();
    }

    /// One that waits for the Lease is healthy: it is there to take over.
    private static void health(HttpExchange exchange, Operator operator) throws IOException {
        var info = operator.getRuntimeInfo();
        boolean well = !info.isStarted() || info.allEventSourcesAreHealthy();
        answer(
                exchange,
                well ? HttpURLConnection.HTTP_OK : HttpURLConnection.HTTP_UNAVAILABLE,
                "text/plain; charset=utf-8",
                well ? "ok\n" : "not watching: " + info.unhealthyEventSources().keySet() + "\n");
    }

    private static void answer(HttpExchange exchange, int code, String type, String body)
            throws IOException {
        byte[] bytes = body.getBytes(UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(code, bytes.length);
        try (var out = exchange.getResponseBody()) {
            out.write(bytes);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
