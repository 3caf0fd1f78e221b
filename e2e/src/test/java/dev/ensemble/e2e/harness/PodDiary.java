package dev.ensemble.e2e.harness;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Which pods of an ensemble came into being, in order, by uid. Watches the API server on a thread
/// of the client library.
public final class PodDiary implements AutoCloseable {
    /// @param uid tells a pod from its predecessor of the same name
    public record Birth(String pod, String uid) {}

    private final List<Birth> births = new ArrayList<>();
    private final Set<String> known = new HashSet<>();
    private final Watch watch;

    /// @param name of the ensemble
    public PodDiary(KubernetesClient client, String namespace, String name) {
        watch =
                client.pods()
                        .inNamespace(namespace)
                        .withLabel("app.kubernetes.io/instance", name)
                        .withLabel("app.kubernetes.io/component", "server")
                        .watch(
                                new Watcher<Pod>() {
                                    @Override
                                    public void eventReceived(Action action, Pod pod) {
                                        saw(pod);
                                    }

                                    @Override
                                    public void onClose(@Nullable WatcherException cause) {}
                                });
    }

    private synchronized void saw(Pod pod) {
        if (known.add(pod.getMetadata().getUid())) {
            births.add(new Birth(pod.getMetadata().getName(), pod.getMetadata().getUid()));
        }
    }

    /// {@return the pods so far, oldest first}
    public synchronized List<Birth> births() {
        return List.copyOf(births);
    }

    @Override
    public void close() {
        watch.close();
    }
}
