package dev.ensemble.operator.desired;

import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.EnsembleSpec.ClientCertificate;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.api.TlsStage;

import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// Keys and certificates: the Secrets as files in the pods, and the lines of `zoo.cfg` that name
/// them. What is in the Secrets is nowhere in a template, so a renewed certificate restarts nobody:
/// kubelet replaces the files, and the members take them.
final class TlsFiles {
    private static final String FOLDER = "/etc/ensemble-tls/";
    private static final String PEER = "peer";
    private static final String CLIENT = "client";
    private static final String TRUST = "trust";

    /// The file with the certificate for clients.
    private static final String CLIENTS = "clients.pem";

    /// Keys that the operator makes, for both.
    private static final String OWN = "own";

    /// Members that have a certificate from the beginning, so that scaling does not wait for one.
    private static final int MOST = 9;

    private TlsFiles() {}

    /// {@return the lines of the file that TLS needs, none without TLS}
    static Map<String, String> settings(TlsStage stage, EnsembleSpec spec) {
        Map<String, String> lines = new LinkedHashMap<>();
        TlsStage.Side peers = stage.peers();
        if (peers.on()) {
            boolean speaks = peers.mode() != TlsStage.Mode.Accept;
            boolean only = peers.mode() == TlsStage.Mode.Required;
            lines.put("sslQuorum", Boolean.toString(speaks));
            lines.put("portUnification", Boolean.toString(!only));
            lines.put("sslQuorumReloadCertFiles", "true");
            String folder = FOLDER + (peers.ours() ? OWN : PEER);
            lines.put(
                    "ssl.quorum.keyStore.location",
                    folder + (peers.ours() ? "/{myid}.pem" : "/tls.crt"));
            lines.put("ssl.quorum.trustStore.location", folder + "/ca.crt");
        }
        TlsStage.Side clients = stage.clients();
        if (clients.on()) {
            ClientCertificate asked = clientAuth(spec);
            lines.put("secureClientPort", Integer.toString(Labels.SECURE_PORT));
            if (clients.mode() == TlsStage.Mode.Required) {
                lines.put("secureClientPortOnly", "true");
            }
            lines.put("client.certReload", "true");
            lines.put("ssl.clientAuth", asked.name().toLowerCase(Locale.ROOT));
            lines.put(
                    "ssl.keyStore.location",
                    FOLDER + (clients.ours() ? OWN + "/" + CLIENTS : CLIENT + "/tls.crt"));
            if (asked != ClientCertificate.None) {
                lines.put(
                        "ssl.trustStore.location",
                        FOLDER + (trust(stage, spec) == null ? CLIENT : TRUST) + "/ca.crt");
            }
        }
        return lines;
    }

    private static ClientCertificate clientAuth(EnsembleSpec spec) {
        EnsembleSpec.ClientTls client = spec.tls() == null ? null : spec.tls().client();
        return client == null ? ClientCertificate.None : client.clientAuth();
    }

    private static @Nullable String trust(TlsStage stage, EnsembleSpec spec) {
        EnsembleSpec.ClientTls client = spec.tls() == null ? null : spec.tls().client();
        return client == null || !stage.clients().on() ? null : client.trustSecretName();
    }

    static List<Volume> volumes(Wanted wanted) {
        List<Volume> volumes = new ArrayList<>();
        secrets(wanted)
                .forEach((name, secret) ->
                        volumes.add(
                                new VolumeBuilder()
                                        .withName("tls-" + name)
                                        .withNewSecret()
                                        .withSecretName(secret)
                                        .withDefaultMode(0440)
                                        .endSecret()
                                        .build()));
        return volumes;
    }

    static List<VolumeMount> mounts(Wanted wanted) {
        return secrets(wanted).keySet().stream()
                .map(name ->
                        new VolumeMountBuilder()
                                .withName("tls-" + name)
                                .withMountPath(FOLDER + name)
                                .withReadOnly(true)
                                .build())
                .toList();
    }

    private static Map<String, String> secrets(Wanted wanted) {
        TlsStage stage = wanted.security().stage();
        Map<String, String> secrets = new LinkedHashMap<>();
        String peer = stage.peers().secret();
        if (peer != null) {
            secrets.put(PEER, peer);
        }
        String client = stage.clients().secret();
        if (client != null) {
            secrets.put(CLIENT, client);
        }
        String trust = trust(stage, wanted.spec());
        if (trust != null) {
            secrets.put(TRUST, trust);
        }
        if (stage.peers().ours() || stage.clients().ours()) {
            secrets.put(OWN, Labels.keys(wanted.name()));
        }
        return secrets;
    }

    /// {@return alternative names, sorted, of each certificate that the operator makes, by the name
    /// of its file; none if it makes none}
    ///
    /// @param stage where the members are, or will be
    static Map<String, List<String>> leaves(Wanted wanted, TlsStage stage) {
        Map<String, List<String>> leaves = new TreeMap<>();
        String name = wanted.name();
        if (stage.peers().ours()) {
            for (int i = 0; i < Math.max(MOST, wanted.size()); i++) {
                int myid = wanted.spec().firstMyid() + i;
                leaves.put(
                        myid + ".pem",
                        sorted(
                                Labels.pod(name, i) + inside(wanted),
                                "ensemble://" + wanted.ensembleId() + "/" + myid));
            }
        }
        if (stage.clients().ours()) {
            leaves.put(CLIENTS, clientNames(wanted));
        }
        return leaves;
    }

    /// {@return what stands behind a member's name in that of its host}
    static String inside(Wanted wanted) {
        return "." + Labels.peers(wanted.name()) + "." + wanted.namespace() + ".svc";
    }

    /// {@return the names by which clients know the ensemble, sorted}
    static List<String> clientNames(Wanted wanted) {
        String service = Labels.client(wanted.name()) + "." + wanted.namespace();
        return sorted(
                "localhost",
                Labels.client(wanted.name()),
                service,
                service + ".svc",
                service + ".svc.cluster.local",
                "*" + inside(wanted),
                "*" + inside(wanted) + ".cluster.local");
    }

    private static List<String> sorted(String... names) {
        return Arrays.stream(names).sorted().toList();
    }
}
