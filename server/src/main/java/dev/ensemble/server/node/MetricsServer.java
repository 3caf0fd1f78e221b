package dev.ensemble.server.node;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/// The port that Prometheus reads.
final class MetricsServer {
    private MetricsServer() {}

    static HttpServer start(Config.Metrics wanted, int idleTimeoutMillis, Metrics metrics)
            throws IOException {
        return new HttpServer(
                "metrics-http",
                wanted.endpoint().toSocketAddress(),
                idleTimeoutMillis,
                request -> CompletableFuture.completedStage(page(request, metrics)));
    }

    private static HttpServer.Response page(HttpServer.Request request, Metrics metrics) {
        if (!request.path().equals("/metrics")) {
            return HttpServer.Response.text(404, "nothing is here");
        }
        return request.isGet()
                ? new HttpServer.Response(
                        200, "text/plain; version=0.0.4; charset=utf-8", metrics.page())
                : HttpServer.Response.text(405, "the method must be GET");
    }
}
