package dev.ensemble.operator.tool;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.ensemble.HttpEnsembleClient;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;

/// `ensemble status`: what each member says about itself.
@Command(
        name = "status",
        description = "Shows the members of an Ensemble.",
        mixinStandardHelpOptions = true)
final class Status implements Callable<Integer> {
    @Spec private CommandSpec command = CommandSpec.create();

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description =
                    "Folder of the ensemble. Without it: the only one under .ensemble in this"
                            + " folder.")
    private @Nullable Path dir;

    @Mixin private Kube kube = new Kube();

    @Override
    public Integer call() {
        if (kube.wanted()) {
            onKubernetes();
        } else {
            onThisMachine();
        }
        return 0;
    }

    private void onKubernetes() {
        PrintWriter out = command.commandLine().getOut();
        try (KubernetesClient client = kube.client()) {
            String namespace = kube.namespace(client);
            List<Ensemble> found =
                    client.resources(Ensemble.class).inNamespace(namespace).list().getItems();
            if (found.isEmpty()) {
                throw new Refusal("there is no Ensemble in namespace " + namespace);
            }
            for (Ensemble each : found) {
                out.println(
                        "Ensemble %s: %s"
                                .formatted(each.getMetadata().getName(), Kube.progress(each)));
                out.println();
                out.print(Kube.table(each));
                out.println();
            }
        } catch (KubernetesClientException e) {
            throw Kube.refusal("cannot read Ensembles", e);
        }
    }

    private void onThisMachine() {
        LocalDir folder = LocalChoice.existing(dir);
        LocalDir.Identity identity = folder.identity();
        if (identity == null) {
            throw new Refusal("there is no ensemble in " + folder.folder());
        }
        LocalDir.Running running = folder.running();
        PrintWriter out = command.commandLine().getOut();
        out.println("Ensemble " + identity.name() + " in " + folder.folder());
        out.println("Connect  " + identity.connect());
        out.println();
        try (var client = new HttpEnsembleClient(Duration.ofSeconds(2))) {
            out.print(
                    StatusTable.of(
                            identity, client.ask(identity.admins()), myid -> pid(running, myid)));
        }
    }

    private static long pid(LocalDir.@Nullable Running running, int myid) {
        LocalDir.Pid pid = running == null ? null : running.members().get(myid);
        return pid == null || pid.alive().isEmpty() ? 0 : pid.pid();
    }
}
