package dev.ensemble.operator.tool;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleBackupSpec;
import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.EnsembleStatus;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.api.TlsStage;
import dev.ensemble.operator.ensemble.EnsembleClient.Outcome;
import dev.ensemble.operator.ensemble.HttpEnsembleClient;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.LocalPortForward;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/// `kubectl ensemble`: what a person on call asks and does, on the cluster that the kubeconfig
/// names. The operator's own words, nothing that only this program knows.
@Command(
        name = "kubectl",
        description = "The kubectl plugin: looks at Ensembles on Kubernetes, and acts on them.",
        mixinStandardHelpOptions = true)
final class Plugin implements Runnable {
    private static final ObjectMapper JSON =
            new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    @Spec private CommandSpec spec = CommandSpec.create();

    @Mixin private Kube kube = new Kube();

    private final Function<Kube, KubernetesClient> clients;

    Plugin() {
        this(Kube::client);
    }

    /// @param clients reach the cluster that the options name
    Plugin(Function<Kube, KubernetesClient> clients) {
        this.clients = clients;
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "Name a command: status, why, logs, cli, restart, transfer-leader, backup or"
                        + " recover");
    }

    /// How an answer is printed.
    enum Format {
        text,
        json
    }

    /// Work on the Ensemble of this name.
    private interface Work {
        int on(KubernetesClient client, Ensemble resource) throws IOException, InterruptedException;
    }

    private int with(@Nullable String name, Work work) throws IOException, InterruptedException {
        try (KubernetesClient client = clients.apply(kube)) {
            String namespace = kube.namespace(client);
            return work.on(client, find(client, namespace, name));
        } catch (KubernetesClientException e) {
            throw Kube.refusal("the API server refuses", e);
        }
    }

    /// The only one of the namespace, if none is named.
    private static Ensemble find(KubernetesClient client, String namespace, @Nullable String name) {
        if (name != null) {
            Ensemble named =
                    client.resources(Ensemble.class).inNamespace(namespace).withName(name).get();
            if (named == null) {
                throw new Refusal(
                        "there is no Ensemble %s in namespace %s".formatted(name, namespace));
            }
            return named;
        }
        List<Ensemble> all =
                client.resources(Ensemble.class).inNamespace(namespace).list().getItems();
        if (all.size() != 1) {
            throw new Refusal(
                    all.isEmpty()
                            ? "there is no Ensemble in namespace " + namespace
                            : "there are several Ensembles in namespace %s; name one of: %s"
                                    .formatted(
                                            namespace,
                                            String.join(
                                                    ", ",
                                                    all.stream()
                                                            .map(each ->
                                                                    each.getMetadata().getName())
                                                            .toList())));
        }
        return all.getFirst();
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    private void json(Object value) {
        try {
            out().println(JSON.writeValueAsString(value));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot print it", e);
        }
    }

    @Command(description = "Shows the members of an Ensemble, and how it is.")
    int status(
            @Parameters(arity = "0..1", paramLabel = "NAME") @Nullable String name,
            @Option(names = "-o", defaultValue = "text", description = "text or json")
                    Format format)
            throws IOException, InterruptedException {
        return with(
                name,
                (_, resource) -> {
                    if (format == Format.json) {
                        json(Objects.requireNonNullElse(resource.getStatus(), "no status"));
                        return 0;
                    }
                    out().println(
                                    "Ensemble %s: %s"
                                            .formatted(
                                                    resource.getMetadata().getName(),
                                                    Kube.progress(resource)));
                    out().println();
                    out().print(Kube.table(resource));
                    return 0;
                });
    }

    @Command(
            description = {
                "Says why an Ensemble is not Ready or does not go on, in the operator's words.",
                "Exit code 0 if there is nothing to say, 3 otherwise."
            })
    int why(
            @Parameters(arity = "0..1", paramLabel = "NAME") @Nullable String name,
            @Option(names = "-o", defaultValue = "text", description = "text or json")
                    Format format)
            throws IOException, InterruptedException {
        return with(
                name,
                (_, resource) -> {
                    List<Why.Line> lines = Why.of(resource);
                    if (format == Format.json) {
                        json(lines);
                    } else if (lines.isEmpty()) {
                        out().println("All is well.");
                    } else {
                        lines.forEach(each -> out().println(each.what() + ": " + each.message()));
                    }
                    return lines.isEmpty() ? 0 : 3;
                });
    }

    @Command(description = "Restarts the members one by one, the leader last.")
    int restart(@Parameters(paramLabel = "NAME") String name)
            throws IOException, InterruptedException {
        return with(
                name,
                (client, resource) -> {
                    String now =
                            Clock.systemUTC().instant().truncatedTo(ChronoUnit.SECONDS).toString();
                    client.resource(resource)
                            .patch(
                                    PatchContext.of(PatchType.JSON_MERGE),
                                    "{\"spec\":{\"restartedAt\":\"%s\"}}".formatted(now));
                    out().println(
                                    "Set spec.restartedAt of %s to %s; the operator does the rest"
                                            .formatted(name, now));
                    return 0;
                });
    }

    @Command(
            name = "transfer-leader",
            description = {
                "Lets another member lead.",
                "Signs with the operator's key, so it needs the permission to read the Secret"
                        + " ensemble-operator-key."
            })
    int transferLeader(
            @Parameters(index = "0", paramLabel = "NAME") String name,
            @Parameters(
                            index = "1",
                            paramLabel = "MEMBER",
                            description = "Its number, as in the pod's name.")
                    int ordinal,
            @Option(
                            names = "--operator-namespace",
                            paramLabel = "NAMESPACE",
                            defaultValue = "ensemble-system")
                    String operatorNamespace)
            throws IOException, InterruptedException {
        return with(
                name,
                (client, resource) -> {
                    EnsembleStatus status = resource.getStatus();
                    if (status == null || status.leader() == null || status.ensembleId() == null) {
                        throw new Refusal(name + " has no leader");
                    }
                    int first = resource.getSpec() == null ? 1 : resource.getSpec().firstMyid();
                    var tokens = OperatorKey.kept(client, operatorNamespace, Clock.systemUTC());
                    try (LocalPortForward to =
                                    forward(
                                            client,
                                            resource,
                                            status.leader().member(),
                                            Labels.ADMIN_PORT);
                            var members = new HttpEnsembleClient(Duration.ofSeconds(10), tokens)) {
                        return say(
                                members.handOver(
                                        URI.create("http://127.0.0.1:" + to.getLocalPort()),
                                        status.ensembleId(),
                                        first + ordinal),
                                Labels.pod(name, ordinal));
                    }
                });
    }

    private int say(Outcome outcome, String member) {
        switch (outcome) {
            case Outcome.Done _ -> out().println(member + " leads now");
            case Outcome.Refused(String why) ->
                    throw new Refusal("the leader refuses to let " + member + " lead: " + why);
            case Outcome.Unknown(String why) ->
                    throw new Refusal("it is not known whether " + member + " leads now: " + why);
        }
        return 0;
    }

    private static LocalPortForward forward(
            KubernetesClient client, Ensemble resource, String pod, int port) {
        return client.pods()
                .inNamespace(resource.getMetadata().getNamespace())
                .withName(pod)
                .portForward(port);
    }

    @Command(
            description = {
                "Lets an Ensemble that has lost its quorum for good go on with one member's data;",
                "or lets any Ensemble begin again with a backup, in place of what it holds.",
                "Without --approve it shows the operator's plan, and changes nothing. Exit code 0"
                        + " if there is a plan, or it is approved; 3 if there is none."
            })
    int recover(
            @Parameters(paramLabel = "NAME") String name,
            @Option(
                            names = "--from-backup",
                            paramLabel = "BACKUP",
                            description = "The EnsembleBackup that it is to begin again with.")
                    @Nullable String backup,
            @Option(
                            names = "--file",
                            paramLabel = "FILE",
                            description =
                                    "Or the backup's file with its folders, with --claim or"
                                            + " --bucket.")
                    @Nullable String file,
            @Mixin Storage storage,
            @Option(
                            names = "--approve",
                            paramLabel = "PLAN",
                            description = "The plan, as it was shown.")
                    @Nullable String approve,
            @Option(
                            names = "--wait",
                            paramLabel = "SECONDS",
                            defaultValue = "30",
                            description =
                                    "How long to wait for the operator's plan. Default:"
                                            + " ${DEFAULT-VALUE}")
                    int seconds)
            throws IOException, InterruptedException {
        return with(
                name,
                (client, resource) -> {
                    var recover = new Recover(client, resource, out());
                    EnsembleSpec.FromBackup source = recover.source(backup, file, storage);
                    if (approve == null) {
                        return recover.show(source, Duration.ofSeconds(seconds));
                    }
                    if (source != null) {
                        throw new Refusal(
                                "--approve names a plan, which has its backup: leave out where that"
                                        + " is");
                    }
                    return recover.approve(approve);
                });
    }

    @Command(
            description = {
                "Takes a backup into a volume claim or a bucket, verifies it, and waits for that.",
                "Exit code 0 if it is complete; 3 if it has failed, or is not complete yet."
            })
    int backup(
            @Parameters(paramLabel = "NAME") String name,
            @Mixin Storage storage,
            @Option(
                            names = "--path",
                            paramLabel = "FOLDER",
                            description = "With --claim: a folder in it.")
                    @Nullable String path,
            @Option(
                            names = "--prefix",
                            paramLabel = "FOLDER",
                            description = "With --bucket: how the key begins.")
                    @Nullable String prefix,
            @Option(
                            names = "--wait",
                            paramLabel = "SECONDS",
                            defaultValue = "600",
                            description = "How long to wait. Default: ${DEFAULT-VALUE}")
                    int seconds)
            throws IOException, InterruptedException {
        EnsembleBackupSpec.Destination destination = storage.destination(path, prefix);
        return with(
                name,
                (client, resource) ->
                        new TakeBackup(client, resource, out())
                                .run(destination, Duration.ofSeconds(seconds)));
    }

    @Command(description = "Prints the log of a member.")
    int logs(
            @Parameters(index = "0", paramLabel = "NAME") String name,
            @Parameters(
                            index = "1",
                            paramLabel = "MEMBER",
                            description = "Its number, as in the pod's name.")
                    int ordinal,
            @Option(names = "--previous", description = "Of its container before the last restart.")
                    boolean previous,
            @Option(
                            names = "--tail",
                            defaultValue = "200",
                            description = "Lines. Default: ${DEFAULT-VALUE}")
                    int tail)
            throws IOException, InterruptedException {
        return with(
                name,
                (client, resource) -> {
                    var pod =
                            client.pods()
                                    .inNamespace(resource.getMetadata().getNamespace())
                                    .withName(Labels.pod(name, ordinal));
                    String log =
                            previous
                                    ? pod.terminated().tailingLines(tail).getLog()
                                    : pod.tailingLines(tail).getLog();
                    out().print(log);
                    return 0;
                });
    }

    @Command(description = "Runs ZooKeeper's command line on a member that serves.")
    int cli(
            @Parameters(index = "0", paramLabel = "NAME") String name,
            @Parameters(index = "1..*", paramLabel = "COMMAND") @Nullable List<String> words,
            @Option(
                            names = "--client-configuration",
                            paramLabel = "FILE",
                            description = {
                                "A ZooKeeper client's properties, for TLS: it has to trust the"
                                        + " members, and not to look at their names, since they are"
                                        + " reached through this machine."
                            })
                    @Nullable Path configuration)
            throws IOException, InterruptedException {
        return with(
                name,
                (client, resource) -> {
                    EnsembleStatus status = resource.getStatus();
                    if (status == null || status.leader() == null) {
                        throw new Refusal(name + " has no leader");
                    }
                    TlsStage.Mode mode = TlsStage.target(name, resource.getSpec()).clients().mode();
                    if (configuration == null && mode == TlsStage.Mode.Required) {
                        throw new Refusal(
                                name
                                        + " speaks TLS only with clients: name a file that has the"
                                        + " keys of TLS with --client-configuration");
                    }
                    if (configuration != null && mode == TlsStage.Mode.Off) {
                        throw new Refusal(
                                name
                                        + " has no TLS for clients (spec.tls.client): leave out"
                                        + " --client-configuration");
                    }
                    try (LocalPortForward to =
                            forward(
                                    client,
                                    resource,
                                    status.leader().member(),
                                    configuration == null
                                            ? Labels.CLIENT_PORT
                                            : Labels.SECURE_PORT)) {
                        List<String> command = new ArrayList<>();
                        command.add(Launcher.fromEnvironment().path().toString());
                        command.addAll(List.of("cli", "-server", "127.0.0.1:" + to.getLocalPort()));
                        if (configuration != null) {
                            command.addAll(
                                    List.of("-client-configuration", configuration.toString()));
                        }
                        if (words != null) {
                            command.addAll(words);
                        }
                        return new ProcessBuilder(command).inheritIO().start().waitFor();
                    }
                });
    }
}
