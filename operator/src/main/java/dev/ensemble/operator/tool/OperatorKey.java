package dev.ensemble.operator.tool;

import dev.ensemble.operator.ensemble.Tokens;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.net.HttpURLConnection;
import java.time.Clock;
import java.util.Base64;

/// The key with which the operator signs what it asks of the members. It is kept in a Secret beside
/// the operator, so that members know the operator again after a restart. Without the permission
/// for that each start makes a new key, and members that learn of it (a minute or so) obey again.
final class OperatorKey {
    static final String SECRET = "ensemble-operator-key";
    private static final String PRIVATE = "private";
    private static final String PUBLIC = "public";
    private static final Logger LOG = LoggerFactory.getLogger(OperatorKey.class);

    private OperatorKey() {}

    /// {@return the tokens of the key that is kept, or of a new one}
    ///
    /// @param namespace of the operator; empty where it runs outside of a cluster
    static Tokens load(KubernetesClient client, String namespace, Clock clock) {
        if (namespace.isEmpty()) {
            return Tokens.generate(clock);
        }
        try {
            Secret kept = client.secrets().inNamespace(namespace).withName(SECRET).get();
            return kept == null ? keep(client, namespace, clock) : read(kept, clock);
        } catch (KubernetesClientException | IllegalArgumentException e) {
            LOG.atWarn()
                    .addKeyValue("secret", namespace + "/" + SECRET)
                    .setCause(e)
                    .log("cannot use the kept key; this start has a key of its own");
            return Tokens.generate(clock);
        }
    }

    /// {@return the tokens of the key that an operator has kept}
    ///
    /// @throws Refusal if there is none, or it may not be read
    static Tokens kept(KubernetesClient client, String namespace, Clock clock) {
        try {
            Secret kept = client.secrets().inNamespace(namespace).withName(SECRET).get();
            if (kept == null) {
                throw new Refusal(
                        "there is no Secret %s in namespace %s; say where the operator is with"
                                        .formatted(SECRET, namespace)
                                + " --operator-namespace");
            }
            return read(kept, clock);
        } catch (KubernetesClientException e) {
            throw Kube.refusal("cannot read the Secret " + SECRET, e);
        }
    }

    private static Tokens keep(KubernetesClient client, String namespace, Clock clock) {
        Tokens made = Tokens.generate(clock);
        Base64.Encoder text = Base64.getEncoder();
        Secret secret =
                new SecretBuilder()
                        .withNewMetadata()
                        .withName(SECRET)
                        .withNamespace(namespace)
                        .addToLabels("app.kubernetes.io/name", "ensemble-operator")
                        .endMetadata()
                        .withType("Opaque")
                        .addToData(PRIVATE, text.encodeToString(made.privateKey()))
                        .addToData(PUBLIC, text.encodeToString(made.publicKey()))
                        .build();
        try {
            client.resource(secret).create();
            return made;
        } catch (KubernetesClientException e) {
            Secret kept = client.secrets().inNamespace(namespace).withName(SECRET).get();
            if (e.getCode() != HttpURLConnection.HTTP_CONFLICT || kept == null) {
                throw e;
            }
            return read(kept, clock);
        }
    }

    private static Tokens read(Secret kept, Clock clock) {
        return Tokens.of(part(kept, PRIVATE), part(kept, PUBLIC), clock);
    }

    private static byte[] part(Secret kept, String key) {
        String text = kept.getData() == null ? null : kept.getData().get(key);
        if (text == null) {
            throw new IllegalArgumentException("the Secret has no key '" + key + "'");
        }
        return Base64.getDecoder().decode(text);
    }
}
