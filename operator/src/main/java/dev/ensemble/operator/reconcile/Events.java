package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.Labels;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.net.HttpURLConnection;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Tells in Kubernetes events what the operator did and what hinders it. A hindrance is told once,
/// and again only when it changes.
final class Events {
    private static final Logger LOG = LoggerFactory.getLogger(Events.class);

    private final KubernetesClient client;
    private final Clock clock;

    /// What was told last, by uid of the resource and subject.
    private final Map<String, String> told = new ConcurrentHashMap<>();

    Events(KubernetesClient client, Clock clock) {
        this.client = client;
        this.clock = clock;
    }

    /// What happened; the complete list.
    enum What {
        Applied("Normal", "The operator created or changed an object of the ensemble."),
        Bootstrapped("Normal", "The ensemble has formed, and never forms anew from here on."),
        MemberEvicted("Normal", "A member is restarted through the Eviction API."),
        MemberDeleted("Normal", "The pod of a voter that is out is deleted, to be made anew."),
        OnlyMember("Warning", "The only voter is restarted; clients wait meanwhile."),
        BudgetRefused("Warning", "The disruption budget did not allow to restart a member now."),
        LeaderChanged("Normal", "Another member leads."),
        SpecInvalid("Warning", "The spec cannot work; what runs keeps running."),
        Hindered("Warning", "Something is missing: StorageClass, image, Secret, node, permission."),
        Ready("Normal", "All members are ready, in sync and up to date.");

        private final String type;
        private final String meaning;

        What(String type, String meaning) {
            this.type = type;
            this.meaning = meaning;
        }

        String type() {
            return type;
        }

        String meaning() {
            return meaning;
        }
    }

    /// Tells what was done.
    void tell(Ensemble about, What what, String message) {
        write(about, what.name(), what.type, message);
    }

    /// Tells how things stand with a subject, if that is news.
    ///
    /// @param reason goes into the event in place of the name of `what`
    void tellOnce(Ensemble about, What what, String reason, String message) {
        String key = about.getMetadata().getUid() + "/" + what;
        if (!message.equals(told.put(key, message))) {
            write(about, reason, what.type, message);
        }
    }

    /// Forgets what was told about a subject, since it is over.
    void over(Ensemble about, What what) {
        told.remove(about.getMetadata().getUid() + "/" + what);
    }

    private void write(Ensemble about, String reason, String type, String message) {
        Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        String id =
                Integer.toHexString((reason + message).hashCode())
                        + "."
                        + Long.toHexString(clock.instant().toEpochMilli());
        Event event =
                new EventBuilder()
                        .withNewMetadata()
                        .withName(about.getMetadata().getName() + "." + id)
                        .withNamespace(about.getMetadata().getNamespace())
                        .endMetadata()
                        .withNewInvolvedObject()
                        .withApiVersion(about.getApiVersion())
                        .withKind(about.getKind())
                        .withName(about.getMetadata().getName())
                        .withNamespace(about.getMetadata().getNamespace())
                        .withUid(about.getMetadata().getUid())
                        .endInvolvedObject()
                        .withReason(reason)
                        .withMessage(message)
                        .withType(type)
                        .withNewSource()
                        .withComponent(Labels.MANAGER)
                        .endSource()
                        .withReportingComponent(Labels.MANAGER)
                        .withFirstTimestamp(now.toString())
                        .withLastTimestamp(now.toString())
                        .withCount(1)
                        .build();
        try {
            client.resource(event).create();
        } catch (KubernetesClientException e) {
            // An event is news, not state: the work goes on without it.
            if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                LOG.atWarn().addKeyValue("reason", reason).setCause(e).log("cannot write an event");
            }
        }
    }
}
