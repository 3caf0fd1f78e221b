package dev.ensemble.e2e.harness;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/// The operator as its chart installs it. It stays from one story to the next, unless one of them
/// asks for another installation; what an earlier run has left behind is taken away first.
///
/// Thread-safe, since stories may run side by side where they leave it alone.
public final class Operator implements AutoCloseable {
    /// Always the same: Helm keeps the definition of `Ensemble` for the release that first
    /// installed it.
    private static final String RELEASE = "ensemble-e2e";

    /// The namespace that it is in.
    public static final String NAMESPACE = "ensemble-e2e-system";

    private static final int MEGABYTES_AT_MOST = 120;

    private final Cluster cluster;
    private final Settings settings;
    private final List<String> images = new ArrayList<>();
    private boolean clean;

    /// With which values it is there; null while it is not.
    private @Nullable List<String> values;

    Operator(Cluster cluster, Settings settings) {
        this.cluster = cluster;
        this.settings = settings;
    }

    /// {@return what was found out of the images, one line each}
    public synchronized List<String> images() {
        return List.copyOf(images);
    }

    /// Makes sure that it is there with just these values, such as `replicas=2`.
    public synchronized void install(String... wanted) {
        List<String> asked = List.of(wanted);
        if (asked.equals(values)) {
            return;
        }
        loadImages();
        if (!clean) {
            uninstall();
            clean = true;
        }
        Namespaces.make(cluster.client(), NAMESPACE);
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "upgrade",
                                "--install",
                                RELEASE,
                                settings.chart().toString(),
                                "--namespace",
                                NAMESPACE,
                                "--set",
                                "image.tag=" + settings.version(),
                                "--wait",
                                "--timeout",
                                "180s"));
        for (String value : asked) {
            command.add("--set");
            command.add(value);
        }
        cluster.helm(command.toArray(String[]::new));
        values = asked;
    }

    /// Takes it away, as `helm uninstall` does, and waits until its pods are gone.
    public synchronized void uninstall() {
        values = null;
        cluster.helm("uninstall", RELEASE, "--namespace", NAMESPACE, "--ignore-not-found");
        Await.until(
                "operator gone",
                Duration.ofMinutes(3),
                () ->
                        cluster.client().pods().inNamespace(NAMESPACE).list().getItems().isEmpty()
                                ? ""
                                : "its pod is there");
    }

    /// Says that a story has changed the installation by itself: the next one gets a fresh one.
    public synchronized void touched() {
        values = null;
        clean = false;
    }

    private void loadImages() {
        if (!images.isEmpty()) {
            return;
        }
        for (String image : List.of("ensemble-server", "ensemble-operator")) {
            Path archive = settings.image(image);
            cluster.load(archive);
            try {
                double megabytes = Files.size(archive) / 1e6;
                images.add("image %s: %.1f MB compressed".formatted(image, megabytes));
                assertTrue(
                        megabytes < MEGABYTES_AT_MOST,
                        () ->
                                "%s should be under %d MB, compressed"
                                        .formatted(image, MEGABYTES_AT_MOST));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Override
    public synchronized void close() {
        if (values == null && clean) {
            return;
        }
        uninstall();
        var there = cluster.client().namespaces().withName(NAMESPACE);
        there.delete();
        there.waitUntilCondition(Objects::isNull, 2, TimeUnit.MINUTES);
    }
}
