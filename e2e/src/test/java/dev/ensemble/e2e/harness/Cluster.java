package dev.ensemble.e2e.harness;

import io.fabric8.kubernetes.client.KubernetesClient;

import org.testcontainers.DockerClientFactory;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A Kubernetes to test on. Two kinds: k3s in a container where there is Docker, else the cluster
/// that `KUBECONFIG` names.
public interface Cluster extends AutoCloseable {
    /// {@return what it is, for the report}
    String name();

    /// {@return a client with all rights}
    KubernetesClient client();

    /// Makes the image in an archive known to every node.
    void load(Path archive);

    /// Runs Helm against the cluster.
    ///
    /// @return what it printed
    /// @throws IllegalStateException if it fails; the message has its output
    String helm(String... arguments);

    /// Runs a command of this machine, with `KUBECONFIG` naming the cluster.
    ///
    /// @return what it printed, errors included
    /// @throws IllegalStateException if it fails; the message has its output
    String local(List<String> command);

    /// Runs a command on a node, with the node's containerd and its disks.
    ///
    /// @return what it printed, errors included
    /// @throws org.opentest4j.TestAbortedException if there is no way to
    String onNode(String node, String... command);

    /// What can be done to a node.
    enum Power {
        /// Everything on it ends at once, as when it loses its power.
        STOP,
        START,
        /// Its network is unplugged.
        CUT,
        MEND
    }

    /// Does something to a node.
    ///
    /// @throws org.opentest4j.TestAbortedException if there is no way to
    void node(String node, Power power);

    /// Starts a Java program of the test class path in the cluster's network: Services and their
    /// names work there.
    ///
    /// @param name of the program, for its files
    /// @param output where its standard output goes; its errors go to a file beside it
    Program start(String name, Path output, String mainClass, List<String> arguments);

    @Override
    void close();

    /// A program in the cluster's network. Its standard input stays open until it should finish.
    interface Program extends AutoCloseable {
        /// Ends its input and waits for it to exit.
        ///
        /// @throws IllegalStateException if it does not exit with 0 in good time
        void finish();

        /// {@return whether it runs}
        boolean running();

        /// {@return what it wrote to standard error}
        String errors();

        /// Ends it at once, if it still runs.
        @Override
        void close();
    }

    /// What looking for a cluster gave.
    sealed interface Found {
        record Here(Cluster cluster) implements Found {}

        /// @param reason why tests that need a cluster are skipped
        record None(String reason) implements Found {}
    }

    /// Looks for a cluster. A cluster that only happens to be in somebody's `~/.kube/config` is
    /// none.
    static Found find(Settings settings) {
        for (String image : List.of("ensemble-server", "ensemble-operator")) {
            if (!Files.isRegularFile(settings.image(image))) {
                return new Found.None(
                        "there is no image %s; images/build makes it"
                                .formatted(settings.image(image)));
            }
        }
        if (DockerClientFactory.instance().isDockerAvailable()) {
            return new Found.Here(K3sCluster.start(settings));
        }
        Path kubeconfig = settings.kubeconfig();
        if (kubeconfig == null) {
            return new Found.None("no Docker answers, and KUBECONFIG names no cluster");
        }
        if (settings.load().isEmpty() || settings.exec().isEmpty()) {
            return new Found.None(
                    "KUBECONFIG names a cluster, but ENSEMBLE_E2E_LOAD and ENSEMBLE_E2E_EXEC do not"
                            + " say how images and clients get into it (see .ci/run)");
        }
        return new Found.Here(new NamedCluster(settings, kubeconfig));
    }
}
