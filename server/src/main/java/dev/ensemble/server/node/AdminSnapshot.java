package dev.ensemble.server.node;

import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.tree.Tree;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;

/// The admin commands `snapshot` and `restore`: who may use them, how often, and what they do.
///
/// On the admin server's thread, but for the writing of the file.
final class AdminSnapshot {
    private static final Logger LOG = LoggerFactory.getLogger(AdminSnapshot.class);

    private final Observed observed;
    private final AtomicLong errors = new AtomicLong();
    private final AtomicLong limited = new AtomicLong();
    private long lastNanos = Long.MIN_VALUE;

    AdminSnapshot(Observed observed) {
        this.observed = observed;
    }

    long errors() {
        return errors.get();
    }

    long limited() {
        return limited.get();
    }

    /// A member takes part in a replicated history: a database that one of them were given would be
    /// another than that of the rest, and would be lost again when it next synchronises.
    CompletionStage<HttpServer.Response> restore(HttpServer.Request request) {
        HttpServer.Response refusal = AdminIdentity.refusal(observed, request, "restore");
        return done(
                refusal == null
                        ? AdminIdentity.failure(
                                503,
                                "restore",
                                "restore is not supported: a member's data is that of its ensemble")
                        : refusal);
    }

    CompletionStage<HttpServer.Response> snapshot(HttpServer.Request request) {
        HttpServer.Response refusal = AdminIdentity.refusal(observed, request, "snapshot");
        if (refusal != null) {
            return done(refusal);
        }
        Config.Admin admin = observed.config().admin();
        if (!admin.snapshots()) {
            return done(AdminIdentity.failure(503, "snapshot", "snapshot command is disabled"));
        }
        long now = System.nanoTime();
        if (lastNanos != Long.MIN_VALUE
                && now - lastNanos < admin.snapshotIntervalMillis() * 1_000_000L) {
            limited.incrementAndGet();
            return done(
                    AdminIdentity.failure(
                            429,
                            "snapshot",
                            "snapshot has been called too often, try again later"));
        }
        lastNanos = now;
        Tree tree = observed.parts().clients().tree();
        boolean streaming =
                Boolean.parseBoolean(request.parameters().getOrDefault("streaming", "true"));
        var answer = new CompletableFuture<HttpServer.Response>();
        Thread.ofPlatform()
                .name("admin-snapshot")
                .daemon()
                .start(() -> answer.complete(take(tree, streaming)));
        return answer;
    }

    private HttpServer.Response take(Tree tree, boolean streaming) {
        Path folder = observed.config().dataDir();
        try {
            Path file =
                    Files.createTempFile(
                            folder,
                            "snapshot.",
                            ".tmp",
                            PosixFilePermissions.asFileAttribute(
                                    PosixFilePermissions.fromString("rw-------")));
            try (var out = new BufferedOutputStream(Files.newOutputStream(file))) {
                SnapshotFile.write(tree, out);
            } catch (IOException | RuntimeException e) {
                Files.deleteIfExists(file);
                throw e;
            }
            Map<String, String> headers =
                    Map.of(
                            "last_zxid",
                            Zxid.text(tree.zxid()),
                            "snapshot_size",
                            Long.toString(Files.size(file)));
            if (streaming) {
                return new HttpServer.Response(200, "application/octet-stream", "", headers, file);
            }
            Path kept = folder.resolve("snapshot." + Long.toHexString(tree.zxid()));
            Files.move(file, kept, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            return new HttpServer.Response(
                    200,
                    "application/json",
                    new Json().put("command", "snapshot").put("error", null) + "\n",
                    headers,
                    null);
        } catch (IOException | UncheckedIOException e) {
            errors.incrementAndGet();
            LOG.atError().setCause(e).log("a snapshot for the admin port failed");
            return AdminIdentity.failure(500, "snapshot", "the snapshot failed: " + e.getMessage());
        }
    }

    private static CompletionStage<HttpServer.Response> done(HttpServer.Response response) {
        return CompletableFuture.completedStage(response);
    }
}
