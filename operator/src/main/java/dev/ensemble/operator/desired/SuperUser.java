package dev.ensemble.operator.desired;

import dev.ensemble.operator.api.EnsembleSpec;

import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;

import org.jspecify.annotations.Nullable;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The superuser's Secret as files in the pods, and the lines of `zoo.cfg` that name them. Its
/// content is nowhere else: not in the template, so that another password restarts nobody, and not
/// in the ConfigMap. Pods start without the Secret, too; they take it when it comes.
final class SuperUser {
    private static final String FOLDER = "/etc/ensemble-superuser";
    private static final String VOLUME = "superuser";

    private SuperUser() {}

    static Map<String, String> settings(EnsembleSpec spec) {
        Map<String, String> lines = new LinkedHashMap<>();
        if (secret(spec) != null) {
            lines.put("DigestAuthenticationProvider.superDigestFile", FOLDER + "/digest");
            lines.put("DigestAuthenticationProvider.superPasswordFile", FOLDER + "/password");
        }
        return lines;
    }

    static List<Volume> volumes(EnsembleSpec spec) {
        String secret = secret(spec);
        return secret == null
                ? List.of()
                : List.of(
                        new VolumeBuilder()
                                .withName(VOLUME)
                                .withNewSecret()
                                .withSecretName(secret)
                                .withOptional(true)
                                .withDefaultMode(0440)
                                .endSecret()
                                .build());
    }

    static List<VolumeMount> mounts(EnsembleSpec spec) {
        return secret(spec) == null
                ? List.of()
                : List.of(
                        new VolumeMountBuilder()
                                .withName(VOLUME)
                                .withMountPath(FOLDER)
                                .withReadOnly(true)
                                .build());
    }

    private static @Nullable String secret(EnsembleSpec spec) {
        return spec.superUserSecret();
    }
}
