package dev.ensemble.operator.desired;

import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.EnsembleSpec.ClientCertificate;
import dev.ensemble.operator.api.EnsembleSpec.PeerMode;
import dev.ensemble.operator.api.Labels;

import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Keys and certificates: the Secrets as files in the pods, and the lines of `zoo.cfg` that name
/// them. What is in the Secrets is nowhere in a template, so a renewed certificate restarts nobody:
/// kubelet replaces the files, and the members take them.
final class TlsFiles {
    private static final String FOLDER = "/etc/ensemble-tls/";
    private static final String PEER = "peer";
    private static final String CLIENT = "client";

    private TlsFiles() {}

    /// {@return the lines of the file that TLS needs, none without TLS}
    static Map<String, String> settings(EnsembleSpec.@Nullable Tls tls) {
        Map<String, String> lines = new LinkedHashMap<>();
        if (tls == null) {
            return lines;
        }
        EnsembleSpec.PeerTls peer = tls.peer();
        if (peer != null) {
            lines.put("sslQuorum", Boolean.toString(peer.mode() != PeerMode.Accept));
            lines.put("portUnification", Boolean.toString(peer.mode() != PeerMode.Required));
            lines.put("sslQuorumReloadCertFiles", "true");
            lines.put("ssl.quorum.keyStore.location", FOLDER + PEER + "/tls.crt");
            lines.put("ssl.quorum.trustStore.location", FOLDER + PEER + "/ca.crt");
        }
        EnsembleSpec.ClientTls client = tls.client();
        if (client != null) {
            lines.put("secureClientPort", Integer.toString(Labels.SECURE_PORT));
            lines.put("client.certReload", "true");
            lines.put("ssl.clientAuth", client.clientAuth().name().toLowerCase(Locale.ROOT));
            lines.put("ssl.keyStore.location", FOLDER + CLIENT + "/tls.crt");
            if (client.clientAuth() != ClientCertificate.None) {
                lines.put("ssl.trustStore.location", FOLDER + CLIENT + "/ca.crt");
            }
        }
        return lines;
    }

    static boolean forClients(EnsembleSpec spec) {
        return spec.tls() != null && spec.tls().client() != null;
    }

    static List<Volume> volumes(EnsembleSpec.@Nullable Tls tls) {
        List<Volume> volumes = new ArrayList<>();
        secrets(tls)
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

    static List<VolumeMount> mounts(EnsembleSpec.@Nullable Tls tls) {
        return secrets(tls).keySet().stream()
                .map(name ->
                        new VolumeMountBuilder()
                                .withName("tls-" + name)
                                .withMountPath(FOLDER + name)
                                .withReadOnly(true)
                                .build())
                .toList();
    }

    private static Map<String, String> secrets(EnsembleSpec.@Nullable Tls tls) {
        Map<String, String> secrets = new LinkedHashMap<>();
        if (tls != null && tls.peer() != null) {
            secrets.put(PEER, tls.peer().secretName());
        }
        if (tls != null && tls.client() != null) {
            secrets.put(CLIENT, tls.client().secretName());
        }
        return secrets;
    }
}
