package dev.ensemble.operator.tool;

import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.ensemble.HttpEnsembleClient;

import io.fabric8.kubernetes.client.KubernetesClient;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;

/// `ensemble up`: reads an Ensemble, and makes it run, on this machine or on Kubernetes.
@Command(
        name = "up",
        description = {
            "Starts the Ensemble that a file describes.",
            "Its members run as processes on 127.0.0.1, until Ctrl-C or `ensemble down`; started"
                + " again it finds its data. With --kube they run on a Kubernetes cluster, under"
                + " the operator."
        },
        mixinStandardHelpOptions = true)
final class Up implements Callable<Integer> {
    @Spec private CommandSpec command = CommandSpec.create();

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description =
                    "The Ensemble, as YAML. Without it: ensemble.yaml in this folder, else an"
                            + " Ensemble with all defaults.")
    private @Nullable Path file;

    @Option(
            names = "--members",
            paramLabel = "N",
            description = "Number of members, instead of spec.replicas.")
    private @Nullable Integer members;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "Folder for data and logs. Without it: .ensemble/<name> in this folder.")
    private @Nullable Path dir;

    @Option(
            names = "--port-base",
            paramLabel = "PORT",
            description =
                    "Client port of the first member; all other ports are counted from it. Without"
                            + " it: 2181, or the next thousand that is free.")
    private @Nullable Integer portBase;

    @Mixin private Kube kube = new Kube();

    @Option(
            names = "--helm",
            paramLabel = "COMMAND",
            defaultValue = "helm",
            description = "With --kube: Helm, as a command. Default: ${DEFAULT-VALUE}")
    private String helm = "";

    @Option(
            names = "--operator-namespace",
            paramLabel = "NAMESPACE",
            defaultValue = "ensemble-system",
            description = "With --kube: where the operator goes. Default: ${DEFAULT-VALUE}")
    private String operatorNamespace = "";

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "With --kube: a value for the operator's chart, such as image.tag=1.2.0.")
    private List<String> values = List.of();

    @Option(
            names = "--skip-operator",
            description = "With --kube: the operator is installed already.")
    private boolean skipOperator;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "10m",
            description = "With --kube: how long to wait for Ready. Default: ${DEFAULT-VALUE}")
    private String timeout = "";

    @Override
    public Integer call() throws InterruptedException {
        EnsembleFile ensemble = read();
        if (kube.wanted()) {
            onKubernetes(ensemble);
            return 0;
        }
        onThisMachine(ensemble);
        return 0;
    }

    private void onKubernetes(EnsembleFile ensemble) throws InterruptedException {
        if (members != null || dir != null || portBase != null) {
            throw new Refusal(
                    "--members, --dir and --port-base are for this machine; with --kube set"
                            + " spec.replicas in the file");
        }
        Duration patience = UpKube.span(timeout);
        Launcher launcher = Launcher.fromEnvironment();
        UpKube up = new UpKube(kube, command.commandLine().getOut());
        try (KubernetesClient client = kube.client()) {
            if (!skipOperator) {
                up.install(
                        client,
                        List.of(helm.strip().split("\\s+", -1)),
                        launcher.path().resolveSibling("charts").resolve("ensemble-operator"),
                        operatorNamespace,
                        values);
            }
            String name = up.apply(client, ensemble, source());
            up.welcome(client, up.await(client, name, patience), launcher.typed());
        }
    }

    private void onThisMachine(EnsembleFile ensemble) throws InterruptedException {
        Launcher launcher = Launcher.fromEnvironment();
        LocalDir folder = new LocalDir(dir == null ? LocalChoice.standard(ensemble.name()) : dir);
        List<String> options = ensemble.spec().jvm().options();
        try (var client = new HttpEnsembleClient(Duration.ofSeconds(2))) {
            UpLocal up =
                    new UpLocal(
                            folder,
                            new UpLocal.Launched(
                                    launcher.path(),
                                    options == null ? "" : String.join(" ", options)),
                            client,
                            command.commandLine().getOut(),
                            launcher.typed());
            Members running = up.start(ensemble, portBase);
            up.welcome(running);
            up.watch(running);
        }
    }

    /// {@return the file that the Ensemble is read from, or null for the built-in one}
    private @Nullable Path source() {
        Path here = Path.of("ensemble.yaml");
        return file != null ? file : Files.exists(here) ? here : null;
    }

    private EnsembleFile read() {
        Path source = source();
        EnsembleFile ensemble =
                source == null
                        ? new EnsembleFile("ensemble", EnsembleSpec.defaults())
                        : EnsembleFile.read(source);
        return members == null
                ? ensemble
                : new EnsembleFile(ensemble.name(), ensemble.spec().withReplicas(members))
                        .checked("--members");
    }
}
