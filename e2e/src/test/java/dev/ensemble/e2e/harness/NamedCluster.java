package dev.ensemble.e2e.harness;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// The cluster that `KUBECONFIG` names, with the commands that bring images and programs into it.
final class NamedCluster implements Cluster {
    private final Settings settings;
    private final Path kubeconfig;
    private final KubernetesClient client;

    NamedCluster(Settings settings, Path kubeconfig) {
        this.settings = settings;
        this.kubeconfig = kubeconfig;
        try {
            Config config = Config.fromKubeconfig(Files.readString(kubeconfig));
            if (isElliptic(config.getClientKeyData())) {
                config.setClientKeyAlgo("EC");
            }
            this.client = new KubernetesClientBuilder().withConfig(config).build();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read KUBECONFIG=" + kubeconfig, e);
        }
    }

    /// {@return whether a key is one of elliptic curves, which the client library takes for RSA if
    /// its PEM header does not say so}
    private static boolean isElliptic(@Nullable String key) {
        if (key == null) {
            return false;
        }
        String pem =
                new String(Base64.getMimeDecoder().decode(key), StandardCharsets.UTF_8)
                        .replaceAll("-----.*?-----|\\s", "");
        try {
            KeyFactory.getInstance("EC")
                    .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    @Override
    public String name() {
        return "Kubernetes %s at %s, %d nodes"
                .formatted(
                        client.getKubernetesVersion().getGitVersion(),
                        client.getMasterUrl(),
                        client.nodes().list().getItems().size());
    }

    @Override
    public KubernetesClient client() {
        return client;
    }

    @Override
    public void load(Path archive) {
        Commands.run(kubeconfig, Commands.with(settings.load(), archive.toString()));
    }

    @Override
    public String helm(String... arguments) {
        return Commands.run(kubeconfig, Commands.with(settings.helm(), arguments));
    }

    @Override
    public String local(List<String> command) {
        return Commands.run(kubeconfig, command);
    }

    @Override
    public String onNode(String node, String... command) {
        assumeFalse(
                settings.onNode().isEmpty(),
                "ENSEMBLE_E2E_ON_NODE does not say how to reach nodes");
        return local(
                Commands.with(Commands.with(settings.onNode(), List.of(number(node))), command));
    }

    @Override
    public void node(String node, Power power) {
        assumeFalse(
                settings.node().isEmpty(),
                "ENSEMBLE_E2E_NODE does not say how to take a node's power and network");
        local(Commands.with(settings.node(), number(node), power.name().toLowerCase(Locale.ROOT)));
    }

    private static String number(String node) {
        return node.replaceAll("\\D", "");
    }

    @Override
    public Program start(String name, Path output, String mainClass, List<String> arguments) {
        Path errors = output.resolveSibling(name + ".log");
        List<String> java =
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        mainClass);
        var builder =
                new ProcessBuilder(Commands.with(Commands.with(settings.exec(), java), arguments))
                        .redirectOutput(output.toFile())
                        .redirectError(errors.toFile());
        try {
            return new Running(name, builder.start(), errors);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + name, e);
        }
    }

    @Override
    public void close() {
        client.close();
    }

    private record Running(String name, Process process, Path log) implements Program {
        private static final long FINISH_SECONDS = 120;

        @Override
        public void finish() {
            try {
                process.getOutputStream().close();
                if (!process.waitFor(FINISH_SECONDS, TimeUnit.SECONDS)) {
                    throw new IllegalStateException(
                            "%s did not end within %d s: %s"
                                    .formatted(name, FINISH_SECONDS, errors()));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
            if (process.exitValue() != 0) {
                throw new IllegalStateException(
                        "%s ended with %d: %s".formatted(name, process.exitValue(), errors()));
            }
        }

        @Override
        public boolean running() {
            return process.isAlive();
        }

        @Override
        public String errors() {
            try {
                return Files.readString(log);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            // The command may be a script with the program as its child, which would outlive it.
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }
}
