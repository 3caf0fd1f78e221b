package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Clients;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Faults;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;

import java.time.Duration;

/// A member's disk is damaged while it does not run: the end of its log, the middle of it, all of
/// it, its state; and one wakes up with the disk of another. What can be mended is mended from the
/// others, what cannot is refused, and the clients notice nothing (scenario 34).
@Tag("long")
@ExtendWith(Stage.class)
@ResourceLock(Story.NODES)
class DamagedIT {
    private static final int MEMBERS = 3;

    /// Segments are named by the zxid that they begin with.
    private static final String LAST_SEGMENT =
            "f=$(ls $D/log.*/* | grep -E '/[0-9a-f]{16}[.]log$' | tail -n 1);";

    @Test
    void disksAreDamaged(Story story) {
        EnsembleView ensemble =
                story.apply("orders", "{replicas: 3, config: {heartbeatTimeoutMillis: \"2000\"}}");
        story.well(ensemble, MEMBERS);
        try (Clients clients = story.clients(ensemble)) {
            var told = new Told(story, ensemble, clients, story.faults());
            told.tornTail("orders-0");
            told.lost(
                    "orders-1",
                    "a broken header in the middle of its log",
                    LAST_SEGMENT + " printf xxxxxxxxxxxxxxxx | dd of=$f bs=1 seek=70 conv=notrunc");
            told.lost(
                    "orders-2",
                    "no byte in its log",
                    "for f in $(ls $D/log.*/* | grep -E '/[0-9a-f]{16}[.]log$'); do : > $f; done");
            told.lost("orders-0", "no state", "rm -r $D/state.*");
            told.foreignIdentity("orders-1", "orders-2");
            clients.finish();
        }
        story.well(ensemble, MEMBERS);
        story.report().say("the same tree on every member: " + ensemble.sameDigest());
    }

    /// The parts of the story.
    private record Told(Story story, EnsembleView ensemble, Clients clients, Faults faults) {
        /// Runs a command of a shell while a member does not run. `D` is the folder of its data.
        private void whileDown(String pod, String command) {
            String node =
                    story.client()
                            .pods()
                            .inNamespace(story.namespace())
                            .withName(pod)
                            .require()
                            .getSpec()
                            .getNodeName();
            String folder = faults.folder(pod);
            String uid = ensemble.uid(pod);
            // Its volume is on that node, so its next pod waits.
            faults.cordon(node, true);
            try {
                faults.delete(pod);
                // Kubelet lets a pod go only when its containers have ended.
                Await.until(
                        pod + " to be gone",
                        Story.PATIENCE,
                        () -> uid.equals(ensemble.uids().get(pod)) ? "it is there" : "");
                story.cluster()
                        .onNode(node, "sh", "-euc", "D='%s/data'; %s".formatted(folder, command));
            } finally {
                faults.cordon(node, false);
            }
        }

        private String incarnation(String pod) {
            return ensemble.says(pod).path("identity").path("incarnation").asText();
        }

        private Duration wellAgain(String pod, String what) {
            Duration back = story.well(ensemble, MEMBERS);
            clients.goOn();
            story.report()
                    .say("%s with %s: well after %s".formatted(pod, what, Report.seconds(back)));
            return back;
        }

        /// What was written last, and perhaps acknowledged, cannot be told from what was being
        /// written.
        void tornTail(String pod) {
            String incarnation = incarnation(pod);
            whileDown(pod, LAST_SEGMENT + " printf 'ENSBgarbage' >> $f");
            wellAgain(pod, "something torn at the end of its log");
            assertEquals(incarnation, incarnation(pod), "a torn tail is no loss");
        }

        /// It cannot know what it had acknowledged: it puts its data aside and joins anew.
        void lost(String pod, String what, String command) {
            String incarnation = incarnation(pod);
            whileDown(pod, command);
            wellAgain(pod, what);
            assertNotEquals(incarnation, incarnation(pod), "it is another incarnation");
        }

        /// A disk of another member is refused; no other member suffers. With its own again all is
        /// well.
        void foreignIdentity(String pod, String other) {
            // Written into the file that is there, which keeps its owner.
            whileDown(
                    pod,
                    "cp -p $D/identity $D/../kept; cat '%s/data/identity' > $D/identity"
                            .formatted(faults.folder(other)));
            Await.until(
                    pod + " to be refused",
                    Story.PATIENCE,
                    () -> {
                        var statuses =
                                story.client()
                                        .pods()
                                        .inNamespace(story.namespace())
                                        .withName(pod)
                                        .require()
                                        .getStatus()
                                        .getContainerStatuses();
                        return !statuses.isEmpty() && statuses.getFirst().getRestartCount() > 0
                                ? ""
                                : "no failed start yet";
                    });
            clients.goOn();
            story.report().say(pod + " with the disk of " + other + " does not start");
            whileDown(pod, "cat $D/../kept > $D/identity; rm $D/../kept");
            wellAgain(pod, "its own disk again");
        }
    }
}
