package dev.ensemble.e2e.harness;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// What the environment says of the cluster to use.
///
/// | variable | meaning |
/// | --- | --- |
/// | `KUBECONFIG` | the cluster, where there is no Docker |
/// | `ENSEMBLE_E2E_LOAD` | command that makes the image archives given to it known to the nodes of that cluster |
/// | `ENSEMBLE_E2E_EXEC` | command that runs the command given to it in the network of that cluster |
/// | `ENSEMBLE_E2E_HELM` | Helm; `helm` if not given |
/// | `ENSEMBLE_E2E_KUBECTL` | kubectl; `kubectl` if not given |
/// | `ENSEMBLE_E2E_NODE` | command to which a node's number and `stop`, `start`, `cut` or `mend` are added: its power and its network |
/// | `ENSEMBLE_E2E_ON_NODE` | command to which a node's number and a command are added, which then runs on that node, with its containerd and its disks |
/// | `ENSEMBLE_E2E_HOME`, `ENSEMBLE_E2E_VERSION` | folder and version of what is tested; Maven gives them |
///
/// Commands are split at blanks.
///
/// @param home folder of the sources, with `charts` and `images/target`
/// @param version tag of the images
public record Settings(
        Path home,
        String version,
        @Nullable Path kubeconfig,
        List<String> load,
        List<String> exec,
        List<String> helm,
        List<String> kubectl,
        List<String> node,
        List<String> onNode) {

    /// {@return the settings of this process}
    ///
    /// @throws IllegalStateException if Maven's are missing
    public static Settings of(Map<String, String> environment) {
        String kubeconfig = environment.get("KUBECONFIG");
        return new Settings(
                Path.of(need(environment, "ENSEMBLE_E2E_HOME")).normalize(),
                need(environment, "ENSEMBLE_E2E_VERSION"),
                kubeconfig == null || kubeconfig.isBlank() ? null : Path.of(kubeconfig),
                command(environment.get("ENSEMBLE_E2E_LOAD"), List.of()),
                command(environment.get("ENSEMBLE_E2E_EXEC"), List.of()),
                command(environment.get("ENSEMBLE_E2E_HELM"), List.of("helm")),
                command(environment.get("ENSEMBLE_E2E_KUBECTL"), List.of("kubectl")),
                command(environment.get("ENSEMBLE_E2E_NODE"), List.of()),
                command(environment.get("ENSEMBLE_E2E_ON_NODE"), List.of()));
    }

    private static String need(Map<String, String> environment, String name) {
        String value = environment.get(name);
        if (value == null || value.isBlank()) {
            throw new IllegalStateException(
                    name + " is not set; e2e/pom.xml sets it in a Maven build");
        }
        return value;
    }

    private static List<String> command(@Nullable String text, List<String> otherwise) {
        return text == null || text.isBlank() ? otherwise : List.of(text.trim().split("\\s+", -1));
    }

    /// {@return the archive of an image, as `images/build` leaves it}
    public Path image(String name) {
        return home.resolve("images/target/" + name + ".tar");
    }

    /// {@return the folder of the operator's chart}
    public Path chart() {
        return home.resolve("charts/ensemble-operator");
    }
}
