package dev.ensemble.operator.tool;

import dev.ensemble.operator.desired.Wanted;
import dev.ensemble.operator.ensemble.HttpEnsembleClient;
import dev.ensemble.operator.ensemble.Tokens;
import dev.ensemble.operator.reconcile.BackupReconciler;
import dev.ensemble.operator.reconcile.EnsembleReconciler;
import dev.ensemble.operator.reconcile.RecoveryReconciler;
import dev.ensemble.operator.reconcile.ScheduleReconciler;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfiguration;
import io.javaoperatorsdk.operator.monitoring.micrometer.MicrometerMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;

/// `ensemble operator`: what the operator's pod runs.
@Command(
        name = "operator",
        description = "Runs the operator, against the cluster that its pod or KUBECONFIG names.",
        mixinStandardHelpOptions = true)
final class RunOperator implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(RunOperator.class);
    private static final Duration MEMBER_TIMEOUT = Duration.ofSeconds(2);
    private static final Duration SHUTDOWN = Duration.ofSeconds(10);
    private static final int RETRIES = 2;

    @Option(
            names = "--namespaces",
            split = ",",
            paramLabel = "NAMESPACE",
            defaultValue = "${env:ENSEMBLE_NAMESPACES:-}",
            description = "Namespaces to look after, separated by commas; all if none is given.")
    private Set<String> namespaces = new TreeSet<>();

    @Option(
            names = "--server-image",
            defaultValue = "${env:ENSEMBLE_SERVER_IMAGE:-ensemble-server}",
            description = "Repository of the server's image. Default: ${DEFAULT-VALUE}")
    private String serverImage = "";

    @Option(
            names = "--server-tag",
            defaultValue = "${env:ENSEMBLE_SERVER_TAG:-}",
            description = "Tag of the server's image; the operator's own version if not given.")
    private String serverTag = "";

    @Option(
            names = "--server-pull-policy",
            defaultValue = "${env:ENSEMBLE_SERVER_PULL_POLICY:-IfNotPresent}",
            description = "Pull policy of the server's image. Default: ${DEFAULT-VALUE}")
    private String pullPolicy = "";

    @Option(
            names = "--lease-namespace",
            paramLabel = "NAMESPACE",
            defaultValue = "${env:POD_NAMESPACE:-}",
            description =
                    "Namespace of the Lease by which one of several operators leads; none is taken"
                            + " if not given.")
    private String leaseNamespace = "";

    @Option(
            names = "--identity",
            paramLabel = "NAME",
            defaultValue = "${env:POD_NAME:-}",
            description = "Name of this operator in the Lease.")
    private String identity = "";

    @Option(
            names = "--port",
            defaultValue = "8080",
            description = "Port of /metrics and /healthz. Default: ${DEFAULT-VALUE}")
    private int port;

    @Override
    public Integer call() throws IOException, InterruptedException {
        namespaces.removeIf(String::isBlank);
        var metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        KubernetesClient client = new KubernetesClientBuilder().build();
        // By default a refused request is sent again ten times, over 20 seconds: an eviction that
        // the
        // budget refuses would hold up all else, and might pass when its reasons are long out of
        // date. Whatever fails is looked at anew.
        client.getConfiguration().setRequestRetryBackoffLimit(RETRIES);
        Tokens tokens = OperatorKey.load(client, leaseNamespace, Clock.systemUTC());
        var members = new HttpEnsembleClient(MEMBER_TIMEOUT, tokens);
        var defaults =
                new Wanted.Defaults(
                        serverImage,
                        serverTag.isEmpty() ? Release.current().version() : serverTag,
                        pullPolicy,
                        tokens.pem(),
                        leaseNamespace);
        Operator operator =
                new Operator(overrider -> {
                    overrider
                            .withKubernetesClient(client)
                            .withMetrics(MicrometerMetrics.withoutPerResourceMetrics(metrics))
                            // A namespaced installation may not read definitions.
                            .checkingCRDAndValidateLocalModel(false)
                            .withStopOnInformerErrorDuringStartup(false);
                    LeaderElectionConfiguration lease = lease();
                    if (lease != null) {
                        overrider.withLeaderElectionConfiguration(lease);
                    }
                });
        operator.register(
                new EnsembleReconciler(client, members, defaults, metrics, Clock.systemUTC(), true),
                overrider -> {
                    if (namespaces.isEmpty()) {
                        overrider.watchingAllNamespaces();
                    } else {
                        overrider.settingNamespaces(namespaces);
                    }
                });
        operator.register(
                new RecoveryReconciler(client, members, defaults, Clock.systemUTC()),
                overrider -> {
                    if (namespaces.isEmpty()) {
                        overrider.watchingAllNamespaces();
                    } else {
                        overrider.settingNamespaces(namespaces);
                    }
                });
        operator.register(
                new BackupReconciler(
                        client, members, members, defaults, metrics, Clock.systemUTC()),
                overrider -> {
                    if (namespaces.isEmpty()) {
                        overrider.watchingAllNamespaces();
                    } else {
                        overrider.settingNamespaces(namespaces);
                    }
                });
        operator.register(
                new ScheduleReconciler(client, Clock.systemUTC()),
                overrider -> {
                    if (namespaces.isEmpty()) {
                        overrider.watchingAllNamespaces();
                    } else {
                        overrider.settingNamespaces(namespaces);
                    }
                });
        new JvmMemoryMetrics().bindTo(metrics);
        try (var health = OperatorHttp.start(port, operator, metrics)) {
            LOG.atInfo()
                    .addKeyValue("version", Release.current().version())
                    .addKeyValue("namespaces", namespaces.isEmpty() ? "all" : namespaces)
                    .addKeyValue("port", health.port())
                    .log("starting");
            operator.installShutdownHook(SHUTDOWN);
            operator.start();
            new CountDownLatch(1).await(); // Until the process is told to stop.
        }
        return 0;
    }

    private @Nullable LeaderElectionConfiguration lease() {
        if (leaseNamespace.isEmpty()) {
            return null;
        }
        return identity.isEmpty()
                ? new LeaderElectionConfiguration("ensemble-operator", leaseNamespace)
                : new LeaderElectionConfiguration("ensemble-operator", leaseNamespace, identity);
    }
}
