package dev.ensemble.operator.tool;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleStatus;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Option;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;

/// Options that name a cluster, for the commands that can look at one.
final class Kube {
    @Option(
            names = "--kube",
            description = "On the Kubernetes cluster that KUBECONFIG and --context name.")
    private boolean wanted;

    @Option(
            names = "--context",
            paramLabel = "CONTEXT",
            description = "Context of the kubeconfig. Without it: the current one.")
    private @Nullable String context;

    @Option(
            names = {"-n", "--namespace"},
            paramLabel = "NAMESPACE",
            description = "Namespace of the Ensemble. Without it: that of the context.")
    private @Nullable String namespace;

    boolean wanted() {
        return wanted;
    }

    @Nullable String context() {
        return context;
    }

    /// {@return a client of the cluster}
    ///
    /// @throws Refusal if the kubeconfig has no such context
    KubernetesClient client() {
        Config config = config(context);
        String name = context;
        if (name != null
                && (config.getCurrentContext() == null
                        || !name.equals(config.getCurrentContext().getName()))) {
            throw new Refusal(
                    "--context: '%s' is not valid; valid: %s"
                            .formatted(
                                    name,
                                    config.getContexts().stream()
                                            .map(each -> each.getName())
                                            .toList()));
        }
        return new KubernetesClientBuilder().withConfig(config).build();
    }

    /// {@return what the kubeconfig says}
    static Config config(@Nullable String context) {
        Config config = Config.autoConfigure(context);
        String key = config.getClientKeyData();
        // The client takes a key in PKCS #8 for one of RSA unless it is told otherwise.
        if (key != null && isElliptic(key)) {
            config.setClientKeyAlgo("EC");
        }
        return config;
    }

    private static boolean isElliptic(String key) {
        String pem =
                new String(Base64.getMimeDecoder().decode(key), UTF_8)
                        .replaceAll("-----[A-Z ]+-----|\\s", "");
        try {
            KeyFactory.getInstance("EC")
                    .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
            return true;
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            return false;
        }
    }

    String namespace(KubernetesClient client) {
        if (namespace != null) {
            return namespace;
        }
        return Objects.requireNonNullElse(client.getNamespace(), "default");
    }

    /// {@return the words of a failure that a person can act on}
    static Refusal refusal(String what, KubernetesClientException e) {
        String says =
                e.getStatus() != null && e.getStatus().getMessage() != null
                        ? e.getStatus().getMessage()
                        : e.getCause() != null && e.getCause().getMessage() != null
                                ? e.getCause().getMessage()
                                : String.valueOf(e.getMessage());
        return new Refusal(what + ": " + says);
    }

    /// {@return the condition of this type, or null}
    static @Nullable Condition condition(Ensemble resource, String type) {
        EnsembleStatus status = resource.getStatus();
        return status == null || status.conditions() == null
                ? null
                : status.conditions().stream()
                        .filter(each -> each.getType().equals(type))
                        .findFirst()
                        .orElse(null);
    }

    /// {@return whether it is ready, by a status that is about the newest spec}
    static boolean ready(Ensemble resource) {
        Condition ready = condition(resource, "Ready");
        return ready != null
                && "True".equals(ready.getStatus())
                && Objects.equals(
                        ready.getObservedGeneration(), resource.getMetadata().getGeneration());
    }

    /// {@return how far it is, in one line}
    static String progress(Ensemble resource) {
        EnsembleStatus status = resource.getStatus();
        Condition ready = condition(resource, "Ready");
        Condition valid = condition(resource, "SpecValid");
        if (status == null || ready == null) {
            return "waiting for the operator to look at it";
        }
        if (valid != null && "False".equals(valid.getStatus())) {
            return "the spec cannot work: " + valid.getMessage();
        }
        if (!Objects.equals(
                ready.getObservedGeneration(), resource.getMetadata().getGeneration())) {
            return "waiting for the operator to look at the change";
        }
        return "%s, %s ready: %s"
                .formatted(
                        status.phase(),
                        Objects.requireNonNullElse(status.ready(), "none"),
                        ready.getMessage());
    }

    /// {@return the members as its status has them}
    static String table(Ensemble resource) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("MEMBER", "POD", "ROLE", "READY", "SYNCED", "SAFE-TO-STOP", "NODE"));
        EnsembleStatus status = resource.getStatus();
        if (status != null && status.members() != null) {
            for (EnsembleStatus.Member each : status.members()) {
                rows.add(
                        List.of(
                                Integer.toString(each.myid()),
                                each.name(),
                                each.role(),
                                yes(each.ready()),
                                yes(each.synced()),
                                yes(each.safeToStop()),
                                each.node() == null ? "-" : each.node()));
            }
        }
        return StatusTable.of(rows);
    }

    private static String yes(@Nullable Boolean value) {
        return value == null ? "unknown" : value ? "yes" : "no";
    }
}
