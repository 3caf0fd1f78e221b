package dev.ensemble.e2e.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.Serialization;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What one story has of the cluster: a namespace of its own, an operator, ensembles with clients,
/// a report. `Stage` opens it, keeps its remains if it fails, and takes it away.
public final class Story implements AutoCloseable {
    /// What stories hold that keep nodes from taking pods, should stories run side by side. Those
    /// that do more to nodes, DNS or the operator run alone.
    public static final String NODES = "nodes";

    /// How long to wait for what an ensemble does, on a machine that is busy with other things.
    public static final Duration PATIENCE = Duration.ofMinutes(4);

    private final Cluster cluster;
    private final Settings settings;
    private final Operator operator;
    private final Path folder;
    private final Report report;
    private final String id = Long.toString(System.nanoTime() & 0xffffff, 36);
    private final String namespace;
    private int fleets;

    Story(Cluster cluster, Settings settings, Operator operator, String name) {
        this.cluster = cluster;
        this.settings = settings;
        this.operator = operator;
        this.folder = settings.home().resolve("e2e/target/" + name);
        this.namespace = name + "-" + id;
        this.report = new Report(folder.resolve("report.txt"));
    }

    void open() {
        report.say("cluster: " + cluster.name());
        operator.install();
        operator.images().forEach(report::say);
        report.say("operator installed by its chart");
        Namespaces.make(client(), namespace);
    }

    /// {@return the cluster}
    public Cluster cluster() {
        return cluster;
    }

    /// {@return a client of the cluster with all rights}
    public KubernetesClient client() {
        return cluster.client();
    }

    /// {@return what the environment says}
    public Settings settings() {
        return settings;
    }

    /// {@return the operator, which is there when the story begins}
    public Operator operator() {
        return operator;
    }

    /// {@return the folder for what the story leaves behind}
    public Path folder() {
        return folder;
    }

    /// {@return its report}
    public Report report() {
        return report;
    }

    /// {@return its namespace}
    public String namespace() {
        return namespace;
    }

    /// {@return faults in its namespace}
    public Faults faults() {
        return new Faults(client(), namespace);
    }

    /// {@return how large the volumes of its namespace are now}
    public List<Quantity> volumeSizes() {
        return client().persistentVolumeClaims().inNamespace(namespace).list().getItems().stream()
                .map(claim -> claim.getStatus().getCapacity().get("storage"))
                .toList();
    }

    /// Applies an `Ensemble`, and waits for nothing.
    ///
    /// @param spec in YAML. Version, a small volume and small pods are added where it says nothing
    ///   of them
    public EnsembleView apply(String name, String spec) {
        @SuppressWarnings("unchecked")
        Map<String, Object> given =
                // The line keeps the library from taking a text that begins with { for JSON.
                Serialization.unmarshal("---\n" + spec, LinkedHashMap.class);
        var all = new LinkedHashMap<String, Object>(given);
        all.putIfAbsent("version", settings.version());
        all.putIfAbsent("storage", Map.of("log", Map.of("size", "1Gi")));
        all.putIfAbsent(
                "podTemplate",
                Map.of(
                        "spec",
                        Map.of(
                                "resources",
                                Map.of(
                                        "requests",
                                        Map.of("cpu", "100m", "memory", "512Mi"),
                                        "limits",
                                        Map.of("memory", "512Mi")))));
        load(
                Serialization.asYaml(
                        Map.of(
                                "apiVersion",
                                "ensemble.dev/v1alpha1",
                                "kind",
                                "Ensemble",
                                "metadata",
                                Map.of("name", name, "namespace", namespace),
                                "spec",
                                all)));
        return new EnsembleView(client(), namespace, name);
    }

    /// Applies what a text in YAML describes, in the story's namespace.
    public void load(String yaml) {
        client().load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)))
                .inNamespace(namespace)
                .serverSideApply();
    }

    /// Runs kubectl in the story's namespace.
    ///
    /// @return what it printed, errors included
    /// @throws IllegalStateException if it fails; the message has its output
    public String kubectl(String... arguments) {
        return cluster.local(
                Commands.with(
                        Commands.with(settings.kubectl(), "--namespace", namespace), arguments));
    }

    /// Runs `kubectl ensemble` in the story's namespace. The first time it may have to be built.
    ///
    /// @return what it printed, errors included
    /// @throws IllegalStateException if it fails; the message has its output
    public String plugin(String... arguments) {
        return cluster.local(
                Commands.with(
                        List.of(
                                settings.home().resolve("kubectl-ensemble").toString(),
                                "--namespace",
                                namespace),
                        arguments));
    }

    /// Waits until an ensemble of so many members is `Ready`, and in truth well.
    ///
    /// @return how long that took
    public Duration well(EnsembleView ensemble, int members) {
        return Await.until(
                "%s well, with %d members".formatted(ensemble.name(), members),
                PATIENCE,
                () -> {
                    String missing = ensemble.missing("Ready");
                    return missing.isEmpty() ? ensemble.missingForCalm(members) : missing;
                });
    }

    /// Starts clients of an ensemble, without TLS.
    public Clients clients(EnsembleView ensemble) {
        return clients(ensemble, Clients.How.PLAIN);
    }

    /// Starts clients of an ensemble.
    public Clients clients(EnsembleView ensemble, Clients.How how) {
        return new Clients(cluster, report, folder, ensemble, id + "-" + fleets++, how);
    }

    /// Starts a store with a bucket for backups.
    public Bucket bucket() {
        return new Bucket(cluster, folder, namespace);
    }

    /// What must be so at the end of each story: all is well, every member holds the same tree, and
    /// no container was restarted but those that the story killed.
    ///
    /// @param restarts that the story is to blame for, of the pods that are there now
    public void sound(EnsembleView ensemble, int members, int restarts) {
        well(ensemble, members);
        String digest = ensemble.sameDigest();
        assertEquals(restarts, restarts(ensemble.pods()), "restarts of containers");
        report.say("%s is sound: every member holds tree %s".formatted(ensemble.name(), digest));
    }

    private static int restarts(List<Pod> pods) {
        return pods.stream()
                .flatMap(pod -> pod.getStatus().getContainerStatuses().stream())
                .mapToInt(status -> status.getRestartCount())
                .sum();
    }

    void keepRemains(Throwable failure) {
        report.say("FAILED " + failure);
        try {
            Remains.keep(client(), namespace, folder.resolve("remains"));
            Remains.keep(client(), Operator.NAMESPACE, folder.resolve("remains-operator"));
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    @Override
    public void close() {
        Namespaces.drop(client(), namespace);
        report.say("the end");
    }
}
