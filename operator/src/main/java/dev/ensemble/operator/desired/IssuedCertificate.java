package dev.ensemble.operator.desired;

import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.TlsStage;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceBuilder;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// What cert-manager is asked for: a certificate for all members, and one for clients. It fills and
/// renews a Secret of the same name, which the members use as they use any other.
public final class IssuedCertificate {
    public static final String VERSION = "cert-manager.io/v1";
    public static final String KIND = "Certificate";

    private IssuedCertificate() {}

    /// {@return the certificates that the spec wants from an issuer}
    public static List<GenericKubernetesResource> of(Wanted wanted) {
        EnsembleSpec.Tls tls = wanted.spec().tls();
        TlsStage target = TlsStage.target(wanted.name(), wanted.spec());
        List<GenericKubernetesResource> certificates = new ArrayList<>();
        if (tls != null && tls.peer() != null) {
            add(certificates, wanted, target.peers(), tls.peer().issuerRef(), peerNames(wanted));
        }
        if (tls != null && tls.client() != null) {
            add(
                    certificates,
                    wanted,
                    target.clients(),
                    tls.client().issuerRef(),
                    TlsFiles.clientNames(wanted));
        }
        return certificates;
    }

    private static List<String> peerNames(Wanted wanted) {
        return List.of("*" + TlsFiles.inside(wanted));
    }

    private static void add(
            List<GenericKubernetesResource> certificates,
            Wanted wanted,
            TlsStage.Side side,
            EnsembleSpec.@Nullable IssuerRef issuer,
            List<String> names) {
        String secret = side.secret();
        if (issuer == null || secret == null) {
            return;
        }
        certificates.add(
                new GenericKubernetesResourceBuilder()
                        .withApiVersion(VERSION)
                        .withKind(KIND)
                        .withMetadata(wanted.meta(secret))
                        .addToAdditionalProperties(
                                "spec",
                                Map.of(
                                        "secretName",
                                        secret,
                                        "dnsNames",
                                        names,
                                        "usages",
                                        List.of(
                                                "digital signature",
                                                "key encipherment",
                                                "server auth",
                                                "client auth"),
                                        // The members read no other encoding.
                                        "privateKey",
                                        Map.of(
                                                "algorithm",
                                                "ECDSA",
                                                "encoding",
                                                "PKCS8",
                                                "rotationPolicy",
                                                "Always"),
                                        "issuerRef",
                                        Map.of(
                                                "name",
                                                issuer.name(),
                                                "kind",
                                                issuer.kind(),
                                                "group",
                                                issuer.group())))
                        .build());
    }
}
