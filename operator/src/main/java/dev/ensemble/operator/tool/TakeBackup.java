package dev.ensemble.operator.tool;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleBackup;
import dev.ensemble.operator.api.EnsembleBackupSpec;
import dev.ensemble.operator.api.EnsembleBackupStatus;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// `kubectl ensemble backup`: makes an EnsembleBackup and waits for its end.
final class TakeBackup {
    /// The backup has failed, or is not complete yet.
    private static final int NO_BACKUP = 3;

    private final KubernetesClient client;
    private final String namespace;
    private final String ensemble;
    private final PrintWriter out;

    TakeBackup(KubernetesClient client, Ensemble ensemble, PrintWriter out) {
        this.client = client;
        this.namespace = ensemble.getMetadata().getNamespace();
        this.ensemble = ensemble.getMetadata().getName();
        this.out = out;
    }

    int run(EnsembleBackupSpec.Destination destination, Duration patience)
            throws InterruptedException {
        EnsembleBackup wanted = new EnsembleBackup();
        wanted.setMetadata(
                new ObjectMetaBuilder()
                        .withGenerateName(ensemble + "-")
                        .withNamespace(namespace)
                        .build());
        wanted.setSpec(new EnsembleBackupSpec(ensemble, destination, null));
        String name = client.resource(wanted).create().getMetadata().getName();
        out.println("EnsembleBackup " + name);
        out.flush();
        String said = "";
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            EnsembleBackup now =
                    client.resources(EnsembleBackup.class)
                            .inNamespace(namespace)
                            .withName(name)
                            .get();
            if (now == null) {
                throw new Refusal("the EnsembleBackup is gone");
            }
            EnsembleBackupStatus status = now.getStatus();
            String news =
                    status == null || status.phase() == null
                            ? ""
                            : status.phase() + ": " + status.message();
            if (!news.equals(said)) {
                out.println(news);
                out.flush();
                said = news;
            }
            if (status != null && "Complete".equals(status.phase())) {
                out.println(
                        "%s in %s: %s of %s, %d znodes"
                                .formatted(
                                        status.file(),
                                        text(destination),
                                        status.zxid(),
                                        status.time(),
                                        status.znodes()));
                return 0;
            }
            if ((status != null && "Failed".equals(status.phase())) || System.nanoTime() > end) {
                return NO_BACKUP;
            }
            TimeUnit.MILLISECONDS.sleep(500);
        }
    }

    private static String text(EnsembleBackupSpec.Destination destination) {
        if (destination.s3() != null) {
            return "bucket " + destination.s3().bucket();
        }
        return "claim " + (destination.claim() == null ? "?" : destination.claim().name());
    }
}
