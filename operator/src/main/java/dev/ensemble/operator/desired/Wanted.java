package dev.ensemble.operator.desired;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.api.TlsStage;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// All that an ensemble's objects are made of.
///
/// @param uid of the resource, which owns the objects
/// @param ensembleId identity of the ensemble: the uid of the resource that it was first made for
/// @param bootstrapped when it first formed; null before that
/// @param size members that there should be now, on the way to `spec.replicas`
/// @param recovery the last recovery, as the members are told it; null if there was none
/// @param template size of the volumes that the StatefulSet makes: not changeable there, so the
///   size that it was made with
/// @param security how far the members have come with TLS
/// @param defaults the image where the spec names none
public record Wanted(
        String name,
        String namespace,
        String uid,
        EnsembleSpec spec,
        String ensembleId,
        @Nullable String bootstrapped,
        @Nullable String recovery,
        int size,
        String template,
        Security security,
        Defaults defaults) {

    /// How connections are secured.
    ///
    /// @param stage how far the members have come
    /// @param plainPods whether pods are left that have a port for plaintext
    public record Security(TlsStage stage, boolean plainPods) {}

    /// The same, for an ensemble that was never recovered and has what the spec asks for.
    public Wanted(
            String name,
            String namespace,
            String uid,
            EnsembleSpec spec,
            String ensembleId,
            @Nullable String bootstrapped,
            int size,
            String template,
            Defaults defaults) {
        this(
                name,
                namespace,
                uid,
                spec,
                ensembleId,
                bootstrapped,
                null,
                size,
                template,
                new Security(TlsStage.target(name, spec), false),
                defaults);
    }

    /// What the operator gives to every ensemble.
    ///
    /// @param repository of the server's image, where the spec names none
    /// @param pullPolicy null for Kubernetes' own choice
    /// @param operatorKeys public keys in PEM, by which members know the operator
    /// @param operatorNamespace where the operator runs; empty if it may be anywhere
    public record Defaults(
            String repository,
            String tag,
            @Nullable String pullPolicy,
            String operatorKeys,
            String operatorNamespace) {
        /// The same, for an operator that may be anywhere.
        public Defaults(
                String repository, String tag, @Nullable String pullPolicy, String operatorKeys) {
            this(repository, tag, pullPolicy, operatorKeys, "");
        }
    }

    /// {@return the image of the server}
    public String image() {
        EnsembleSpec.Image image = spec.image();
        String repository =
                image == null || image.repository() == null
                        ? defaults.repository()
                        : image.repository();
        if (image != null && image.digest() != null) {
            return repository + "@" + image.digest();
        }
        if (image != null && image.tag() != null) {
            return repository + ":" + image.tag();
        }
        return repository + ":" + (spec.version() == null ? defaults.tag() : spec.version());
    }

    /// {@return when the image is pulled; said explicitly, since the API server's default depends
    /// on the tag}
    String pullPolicy() {
        EnsembleSpec.Image image = spec.image();
        if (image != null && image.pullPolicy() != null) {
            return image.pullPolicy().name();
        }
        return defaults.pullPolicy() == null ? "IfNotPresent" : defaults.pullPolicy();
    }

    /// {@return the same with another number of members}
    public Wanted withSize(int number) {
        return with(number, security);
    }

    /// {@return the same at another stage of TLS}
    public Wanted withStage(TlsStage stage) {
        return with(size, new Security(stage, security.plainPods()));
    }

    private Wanted with(int number, Security secured) {
        return new Wanted(
                name,
                namespace,
                uid,
                spec,
                ensembleId,
                bootstrapped,
                recovery,
                number,
                template,
                secured,
                defaults);
    }

    /// {@return alternative names, sorted, of each certificate that the operator makes, by the name
    /// of its file; none if it makes none}
    ///
    /// @param stage where the members are, or will be
    public Map<String, List<String>> leaves(TlsStage stage) {
        return TlsFiles.leaves(this, stage);
    }

    /// {@return a Secret of the ensemble with these entries}
    public Secret secret(String object, Map<String, String> entries) {
        Map<String, String> data = new LinkedHashMap<>();
        entries.forEach((key, value) ->
                data.put(
                        key,
                        Base64.getEncoder()
                                .encodeToString(value.getBytes(StandardCharsets.UTF_8))));
        return new SecretBuilder()
                .withMetadata(meta(object))
                .withType("Opaque")
                .withData(data)
                .build();
    }

    /// {@return the ConfigMap that says whom clients have to trust}
    ///
    /// @param bundle certificates in PEM
    public ConfigMap trusted(String bundle) {
        return new ConfigMapBuilder()
                .withMetadata(meta(Labels.trusted(name)))
                .addToData("ca.crt", bundle)
                .build();
    }

    /// {@return the file of every member}
    public ZooCfg zooCfg() {
        Map<String, String> settings = new LinkedHashMap<>(spec.settings());
        settings.putAll(TlsFiles.settings(security.stage(), spec));
        settings.putAll(SuperUser.settings(spec));
        return ZooCfg.of(
                ZooCfg.Place.POD,
                settings,
                ZooCfg.voters(name, namespace, spec.firstMyid(), size),
                bootstrapped == null ? ZooCfg.Bootstrap.UNANIMOUS : ZooCfg.Bootstrap.BOOTSTRAPPED,
                ensembleId);
    }

    /// {@return metadata of an object with this name, owned by the resource}
    ObjectMeta meta(String object) {
        return meta(object, Map.of());
    }

    ObjectMeta meta(String object, Map<String, String> annotations) {
        return new ObjectMetaBuilder()
                .withName(object)
                .withNamespace(namespace)
                .withLabels(Labels.all(name))
                .withAnnotations(annotations.isEmpty() ? null : annotations)
                .addNewOwnerReference()
                .withApiVersion("ensemble.dev/v1alpha1")
                .withKind(Ensemble.class.getSimpleName())
                .withName(name)
                .withUid(uid)
                .withController(true)
                .withBlockOwnerDeletion(false)
                .endOwnerReference()
                .build();
    }

    /// {@return the annotations that say whose data it is, since when, and of how many members}
    Map<String, String> identity() {
        Map<String, String> annotations = new LinkedHashMap<>();
        annotations.put(Labels.SIZE, Integer.toString(size));
        annotations.put(Labels.ENSEMBLE_ID, ensembleId);
        annotations.put(Labels.TLS, security.stage().text());
        if (bootstrapped != null) {
            annotations.put(Labels.BOOTSTRAPPED, bootstrapped);
        }
        if (recovery != null) {
            annotations.put(Labels.RECOVERY, recovery);
        }
        return annotations;
    }
}
