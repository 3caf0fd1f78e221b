package dev.ensemble.e2e.harness;

import static org.junit.jupiter.api.Assumptions.abort;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.dsl.ExecWatch;

import org.testcontainers.containers.Container;
import org.testcontainers.k3s.K3sContainer;
import org.testcontainers.utility.DockerImageName;
import org.testcontainers.utility.MountableFile;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// One node of k3s in a container, by Testcontainers. Programs run in pods that have the test class
/// path from the node's disk.
///
/// Written where no Docker was: this kind has compiled and has not run yet.
final class K3sCluster implements Cluster {
    private static final DockerImageName K3S = DockerImageName.parse("rancher/k3s:v1.34.1-k3s1");
    private static final String JAVA = "eclipse-temurin:25-jre";
    private static final String CLASSES = "/var/lib/ensemble-e2e";

    private final Settings settings;
    private final K3sContainer container;
    private final Path kubeconfig;
    private final KubernetesClient client;

    private K3sCluster(Settings settings, K3sContainer container) {
        this.settings = settings;
        this.container = container;
        try {
            kubeconfig = Files.createTempFile("k3s", ".yaml");
            Files.writeString(kubeconfig, container.getKubeConfigYaml());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        client =
                new KubernetesClientBuilder()
                        .withConfig(Config.fromKubeconfig(container.getKubeConfigYaml()))
                        .build();
    }

    static Cluster start(Settings settings) {
        var container = new K3sContainer(K3S);
        container.start();
        return new K3sCluster(settings, container);
    }

    @Override
    public String name() {
        return "k3s %s in a container".formatted(client.getKubernetesVersion().getGitVersion());
    }

    @Override
    public KubernetesClient client() {
        return client;
    }

    @Override
    public void load(Path archive) {
        String there = "/tmp/" + archive.getFileName();
        container.copyFileToContainer(MountableFile.forHostPath(archive), there);
        try {
            Container.ExecResult result =
                    container.execInContainer("ctr", "-n", "k8s.io", "images", "import", there);
            if (result.getExitCode() != 0) {
                throw new IllegalStateException("cannot import " + archive + ": " + result);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
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
        try {
            Container.ExecResult result = container.execInContainer(command);
            if (result.getExitCode() != 0) {
                throw new IllegalStateException(String.join(" ", command) + ": " + result);
            }
            return result.getStdout() + result.getStderr();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    @Override
    public void node(String node, Power power) {
        abort("the only node cannot lose its power or its network");
    }

    @Override
    public Program start(String name, Path output, String mainClass, List<String> arguments) {
        List<String> classPath = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path path = Path.of(entry);
            if (Files.exists(path)) {
                String there = CLASSES + "/" + classPath.size() + "-" + path.getFileName();
                container.copyFileToContainer(MountableFile.forHostPath(path), there);
                classPath.add(there);
            }
        }
        Pod pod =
                new PodBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .withNamespace("default")
                        .endMetadata()
                        .withNewSpec()
                        .addNewContainer()
                        .withName("java")
                        .withImage(JAVA)
                        .withCommand("sleep", "infinity")
                        .addNewVolumeMount()
                        .withName("classes")
                        .withMountPath(CLASSES)
                        .endVolumeMount()
                        .endContainer()
                        .addNewVolume()
                        .withName("classes")
                        .withNewHostPath()
                        .withPath(CLASSES)
                        .endHostPath()
                        .endVolume()
                        .endSpec()
                        .build();
        client.resource(pod).create();
        client.resource(pod).waitUntilReady(5, TimeUnit.MINUTES);
        List<String> command =
                Commands.with(
                        List.of("java", "-Xmx256m", "-cp", String.join(":", classPath), mainClass),
                        arguments);
        Path errors = output.resolveSibling(name + ".log");
        try {
            OutputStream out = Files.newOutputStream(output);
            OutputStream err = Files.newOutputStream(errors);
            ExecWatch exec =
                    client.pods()
                            .inNamespace("default")
                            .withName(name)
                            .redirectingInput()
                            .writingOutput(out)
                            .writingError(err)
                            .exec(command.toArray(String[]::new));
            return new InPod(name, exec, errors);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + name, e);
        }
    }

    @Override
    public void close() {
        client.close();
        container.stop();
        try {
            Files.deleteIfExists(kubeconfig);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private record InPod(String name, ExecWatch exec, Path log) implements Program {
        private static final long FINISH_SECONDS = 120;

        @Override
        public void finish() {
            try {
                exec.getInput().close();
                int code = exec.exitCode().get(FINISH_SECONDS, TimeUnit.SECONDS);
                if (code != 0) {
                    throw new IllegalStateException(
                            "%s ended with %d: %s".formatted(name, code, errors()));
                }
            } catch (IOException | ExecutionException | TimeoutException e) {
                throw new IllegalStateException(name + " did not end well: " + errors(), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
        }

        @Override
        public boolean running() {
            return !exec.exitCode().isDone();
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
            exec.close();
        }
    }
}
