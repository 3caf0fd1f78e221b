package dev.ensemble.operator.tool;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleStatus;
import dev.ensemble.operator.api.Labels;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// `ensemble up --kube`: installs the operator by its chart, applies an Ensemble, and waits until
/// it is ready, telling what it waits for.
final class UpKube {
    /// As in the README, so that both ways of installing it are one.
    private static final String RELEASE = "ensemble-operator";

    private static final Duration POLL = Duration.ofSeconds(1);
    private static final Duration REMIND = Duration.ofSeconds(30);

    private final Kube kube;
    private final PrintWriter out;

    UpKube(Kube kube, PrintWriter out) {
        this.kube = kube;
        this.out = out;
    }

    /// Installs the operator, or brings it up to date.
    ///
    /// @param helm the command, in words
    /// @param values what is given to the chart, each as KEY=VALUE
    void install(
            KubernetesClient client,
            List<String> helm,
            Path chart,
            String namespace,
            List<String> values)
            throws InterruptedException {
        if (!Files.exists(chart.resolve("Chart.yaml"))) {
            throw new Refusal("there is no chart in " + chart);
        }
        KeptDefinition.handOver(client, RELEASE, namespace);
        List<String> command = new ArrayList<>(helm);
        command.addAll(
                List.of(
                        "upgrade",
                        "--install",
                        RELEASE,
                        chart.toString(),
                        "--namespace",
                        namespace,
                        "--create-namespace",
                        "--wait",
                        "--timeout",
                        "180s"));
        if (kube.context() != null) {
            command.addAll(List.of("--kube-context", kube.context()));
        }
        for (String value : values) {
            command.addAll(List.of("--set", value));
        }
        say("Installing the operator into namespace " + namespace + " ...");
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String printed;
            try (InputStream from = process.getInputStream()) {
                printed = new String(from.readAllBytes(), UTF_8);
            }
            if (process.waitFor() != 0) {
                throw new Refusal(
                        "Helm could not install the operator:\n"
                                + printed.strip()
                                + "\nWith an operator that is installed already, say"
                                + " --skip-operator.");
            }
        } catch (IOException e) {
            throw new Refusal(
                    "cannot run '%s': %s. Helm (https://helm.sh) installs the operator; put it on the"
                                    .formatted(helm.getFirst(), Refusal.reason(e))
                            + " PATH, name it with --helm, or install the chart yourself and say"
                            + " --skip-operator");
        }
    }

    /// Applies the file as it stands, so that the API server checks all of it.
    ///
    /// @return the name of the Ensemble
    String apply(KubernetesClient client, EnsembleFile checked, @Nullable Path file) {
        GenericKubernetesResource resource;
        if (file == null) {
            resource = new GenericKubernetesResource();
            resource.setApiVersion("ensemble.dev/v1alpha1");
            resource.setKind("Ensemble");
            resource.setMetadata(new ObjectMetaBuilder().withName(checked.name()).build());
            resource.setAdditionalProperty("spec", Map.of());
        } else {
            try (InputStream in = Files.newInputStream(file)) {
                resource =
                        client.getKubernetesSerialization()
                                .unmarshal(in, GenericKubernetesResource.class);
            } catch (IOException e) {
                throw new Refusal("cannot read " + file + ": " + Refusal.reason(e));
            }
        }
        String namespace = kube.namespace(client);
        resource.getMetadata().setNamespace(namespace);
        try {
            client.resource(resource)
                    .inNamespace(namespace)
                    .fieldManager("ensemble-up")
                    .forceConflicts()
                    .serverSideApply();
        } catch (KubernetesClientException e) {
            throw Kube.refusal("the API server refuses " + (file == null ? "it" : file), e);
        }
        say("Applied Ensemble %s to namespace %s".formatted(checked.name(), namespace));
        return checked.name();
    }

    /// Waits until it is ready.
    ///
    /// @throws Refusal if it is not in time, with what it waits for
    Ensemble await(KubernetesClient client, String name, Duration timeout)
            throws InterruptedException {
        String namespace = kube.namespace(client);
        long deadline = System.nanoTime() + timeout.toNanos();
        String last = "";
        long saidNanos = 0;
        while (true) {
            Ensemble resource;
            try {
                resource =
                        client.resources(Ensemble.class)
                                .inNamespace(namespace)
                                .withName(name)
                                .get();
            } catch (KubernetesClientException e) {
                throw Kube.refusal("cannot read Ensemble " + name, e);
            }
            if (resource == null) {
                throw new Refusal("Ensemble " + name + " was deleted meanwhile");
            }
            if (Kube.ready(resource)) {
                return resource;
            }
            String progress = Kube.progress(resource);
            long now = System.nanoTime();
            if (!progress.equals(last) || now - saidNanos > REMIND.toNanos()) {
                say("  " + progress);
                last = progress;
                saidNanos = now;
            }
            if (now > deadline) {
                throw new Refusal(
                        "not ready after %d s: %s%nLook at it with: kubectl describe ens %s -n %s"
                                .formatted(timeout.toSeconds(), progress, name, namespace));
            }
            TimeUnit.NANOSECONDS.sleep(POLL.toNanos());
        }
    }

    /// Says how to connect.
    void welcome(KubernetesClient client, Ensemble resource, String launcher) {
        String name = resource.getMetadata().getName();
        String namespace = kube.namespace(client);
        EnsembleStatus status = resource.getStatus();
        out.println();
        out.print(Kube.table(resource));
        out.println();
        if (status != null && status.endpoints() != null) {
            say("In the cluster, connect a ZooKeeper client to " + status.endpoints().client());
        }
        say("From this machine:");
        say(
                "  kubectl port-forward -n %s svc/%s %d"
                        .formatted(namespace, Labels.client(name), Labels.CLIENT_PORT));
        say("  %s cli -server 127.0.0.1:%d ls /".formatted(launcher, Labels.CLIENT_PORT));
        say("Look at it:");
        say("  kubectl get ens -n %s -w".formatted(namespace));
        say("  %s status --kube -n %s".formatted(launcher, namespace));
    }

    private void say(String line) {
        out.println(line);
        out.flush();
    }

    /// {@return a span such as 90s or 10m}
    static Duration span(String text) {
        if (!text.matches("[1-9][0-9]{0,4}[smh]")) {
            throw new Refusal(
                    "--timeout: '%s' is not valid; valid: a number with s, m or h, such as 10m"
                            .formatted(text));
        }
        long number = Long.parseLong(text.substring(0, text.length() - 1));
        return switch (text.charAt(text.length() - 1)) {
            case 'h' -> Duration.ofHours(number);
            case 'm' -> Duration.ofMinutes(number);
            default -> Duration.ofSeconds(number);
        };
    }
}
