package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Clients;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import io.fabric8.kubernetes.api.model.Quantity;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/// One member's disk runs full, and the volumes grow under the members; then the disks of all run
/// full, and they grow while no member runs (scenario 37).
///
/// The folders that the test cluster gives as volumes have no size. So each one gets a file system
/// of its own, in which a file stands for the space that the volume does not have yet.
@Tag("long")
@ExtendWith(Stage.class)
class FullDiskIT {
    private static final int MEMBERS = 3;

    /// Mounts a file system over the folder `F`, with what is in it. A file of the reserve must not
    /// become one with holes.
    private static final String OWN_FILE_SYSTEM =
            """
            truncate -s 1536M "$F.img"
            mkfs.ext4 -q -F -m 0 "$F.img"
            mkdir "$F.new"
            mount -o loop "$F.img" "$F.new"
            fallocate -l 800M "$F.new/not-there-yet"
            cp -a --sparse=never "$F/." "$F.new/"
            umount "$F.new"
            rmdir "$F.new"
            mount -o loop "$F.img" "$F"
            rm "$F.img"
            """;

    /// Takes all but 20 MiB.
    private static final String FILL =
            "rm -f \"$F/fill\"; fallocate -l $(($(df --output=avail -B1 \"$F\" | tail -n 1) -"
                    + " 20971520)) \"$F/fill\"";

    @Test
    void disksRunFullAndVolumesGrow(Story story) {
        EnsembleView ensemble =
                story.apply(
                        "orders",
                        """
                        replicas: 3
                        config: {heartbeatTimeoutMillis: "2000"}
                        update: {minReadySeconds: 2}
                        """);
        story.well(ensemble, MEMBERS);
        Map<String, Disk> disks = new TreeMap<>();
        ensemble.pods()
                .forEach(pod -> {
                    String name = pod.getMetadata().getName();
                    disks.put(
                            name,
                            new Disk(pod.getSpec().getNodeName(), story.faults().folder(name)));
                });
        var told = new Told(story, ensemble, disks);
        told.ownFileSystems();
        try (Clients clients = story.clients(ensemble)) {
            told.oneRunsFull(clients);
            clients.finish();
        }
        told.allRunFull();
        try (Clients clients = story.clients(ensemble)) {
            clients.goOn();
            clients.goOn();
            clients.finish();
        }
        story.sound(ensemble, MEMBERS, 0);
    }

    /// Where a member's data is.
    private record Disk(String node, String folder) {}

    /// The parts of the story.
    ///
    /// @param disks by pod
    private record Told(Story story, EnsembleView ensemble, Map<String, Disk> disks) {
        private void on(Disk disk, String command) {
            story.cluster()
                    .onNode(
                            disk.node(),
                            "sh",
                            "-euc",
                            "F='%s'\n%s".formatted(disk.folder(), command));
        }

        private void sleep() {
            ensemble.set("hibernate", "true");
            Await.until(
                    "nobody to run",
                    Story.PATIENCE,
                    () -> ensemble.pods().isEmpty() ? "" : ensemble.uids().keySet() + " run");
        }

        private Duration wake() {
            ensemble.set("hibernate", "false");
            return story.well(ensemble, MEMBERS);
        }

        void ownFileSystems() {
            sleep();
            disks.values().forEach(disk -> on(disk, OWN_FILE_SYSTEM));
            wake();
            story.report().say("each member has a file system of its own");
        }

        /// It takes no part, and all goes on; when its volume has grown it catches up.
        void oneRunsFull(Clients clients) {
            String leader = ensemble.leader();
            String full =
                    disks.keySet().stream()
                            .filter(pod -> !pod.equals(leader))
                            .findFirst()
                            .orElseThrow();
            Map<String, String> before = ensemble.uids();
            on(Objects.requireNonNull(disks.get(full)), FILL);
            Await.until(
                    full + " to take no part",
                    Story.PATIENCE,
                    () -> warns(full, "takes no part until then"));
            clients.goOn();
            Await.until(
                    "the operator to say so",
                    Story.PATIENCE,
                    () ->
                            ensemble.status()
                                            .path("members")
                                            .toString()
                                            .contains("the disk is nearly full")
                                    ? ""
                                    : ensemble.status().path("members").toString());
            clients.goOn();
            grow("2Gi");
            disks.values().forEach(disk -> on(disk, "rm \"$F/not-there-yet\""));
            Duration took = story.well(ensemble, MEMBERS);
            clients.goOn();
            assertEquals(before, ensemble.uids(), "nobody restarts");
            story.report()
                    .say(
                            "%s was full and took no part; well %s after its volume grew"
                                    .formatted(full, Report.seconds(took)));
        }

        /// Nobody has space: what makes data grow is refused, and reads go on.
        void allRunFull() {
            story.plugin("cli", ensemble.name(), "create", "/before", "here");
            disks.values().forEach(disk -> on(disk, FILL));
            Await.until(
                    "the leader to have no quorum with space",
                    Story.PATIENCE,
                    () -> warns(ensemble.leader(), "no quorum has space"));
            String refused = create("/meanwhile");
            assertTrue(refused.contains("Quota has exceeded"), refused);
            String read = story.plugin("cli", ensemble.name(), "get", "/before");
            assertTrue(read.contains("here"), read);
            story.report().say("with all disks full a create is refused, and a read is answered");
            sleep();
            grow("3Gi");
            disks.values().forEach(disk -> on(disk, "rm \"$F/fill\""));
            Duration took = wake();
            assertEquals("", create("/after"));
            story.report()
                    .say("the volumes grew while nobody ran; well after " + Report.seconds(took));
        }

        /// {@return what hinders it, empty if nothing does}
        private String create(String path) {
            try {
                String said = story.plugin("cli", ensemble.name(), "create", path, "more");
                return said.contains("Created " + path) ? "" : said;
            } catch (IllegalStateException e) {
                return String.valueOf(e.getMessage());
            }
        }

        private String warns(String pod, String what) {
            String warnings = ensemble.says(pod).path("warnings").toString();
            return warnings.contains(what) ? "" : warnings;
        }

        /// Has the volumes grow, as far as Kubernetes knows.
        private void grow(String size) {
            ensemble.set("storage", "{\"log\":{\"size\":\"%s\"}}".formatted(size));
            List<Quantity> wanted = Collections.nCopies(MEMBERS, new Quantity(size));
            Await.until(
                    "volumes of " + size,
                    Story.PATIENCE,
                    () -> {
                        List<Quantity> sizes = story.volumeSizes();
                        return sizes.equals(wanted) ? "" : sizes.toString();
                    });
        }
    }
}
