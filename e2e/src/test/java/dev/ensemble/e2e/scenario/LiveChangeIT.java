package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Clients;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.LocalPortForward;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/// What changes without a restart, under clients at work: limits of the configuration, also one
/// that the servers refuse (scenario 28), and the superuser's Secret, which is missing at first
/// (scenario 48).
@Tag("long")
@ExtendWith(Stage.class)
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
class LiveChangeIT {
    private static final int MEMBERS = 3;
    private static final int CLIENT_PORT = 2181;
    private static final String SECRET = "orders-super";
    private static final String MINE = "/mine";

    /// A busy machine needs the longer time-out between members.
    private static final String SPEC =
            """
            replicas: 3
            config: {heartbeatTimeoutMillis: "2000"}
            auth: {superUser: {secretName: orders-super}}
            """;

    @Test
    void configurationAndSuperuserChangeUnderClients(Story story) throws Exception {
        EnsembleView ensemble = story.apply("orders", SPEC);
        story.well(ensemble, MEMBERS);
        Map<String, String> uids = ensemble.uids();
        try (Clients clients = story.clients(ensemble)) {
            var told = new Told(story, ensemble);
            told.limits();
            clients.goOn();
            told.refusal();
            clients.goOn();
            told.superuser();
            clients.goOn();
            clients.finish();
        }
        assertEquals(uids, ensemble.uids(), "nobody restarts");
        story.sound(ensemble, MEMBERS, 0);
    }

    /// The parts of the story.
    private record Told(Story story, EnsembleView ensemble) {
        private void config(String live) {
            ensemble.set("config", "{\"heartbeatTimeoutMillis\":\"2000\",%s}".formatted(live));
        }

        void limits() {
            config("\"maxClientCnxns\":\"100\",\"4lw.commands.whitelist\":\"ruok\"");
            Duration took =
                    Await.until(
                            "every member to say that it has the new limits",
                            Story.PATIENCE,
                            () -> ensemble.missing("UpToDate"));
            for (String pod : ensemble.uids().keySet()) {
                assertEquals(
                        ensemble.status().path("members").path(0).path("configHash").asText(),
                        ensemble.says(pod).path("configHash").asText());
            }
            Await.until("the event", Story.PATIENCE, () -> missingEvent("ConfigLoaded"));
            story.report().say("new limits are in force after " + Report.seconds(took));
        }

        void refusal() {
            config("\"maxClientCnxns\":\"many\"");
            Await.until(
                    "the refusal to be told",
                    Story.PATIENCE,
                    () -> {
                        String missing = ensemble.missing("UpToDate");
                        return missing.contains("ConfigNotLoaded")
                                        && missing.contains("maxClientCnxns=many is not valid")
                                ? ""
                                : "it is told: " + missing;
                    });
            config("\"maxClientCnxns\":\"60\"");
            Await.until("what is right", Story.PATIENCE, () -> ensemble.missing("UpToDate"));
            story.report().say("a limit that is no number was refused, and held up nothing");
        }

        void superuser() throws Exception {
            Await.until(
                    "the missing Secret to be named",
                    Story.PATIENCE,
                    () -> {
                        String missing = ensemble.missing("SuperUserReady");
                        return missing.contains("SuperUserMissing") && missing.contains(SECRET)
                                ? missingEvent("SuperUserMissing")
                                : missing;
                    });
            mine();
            assertFalse(reads("super:one"));
            secret("one");
            Duration first = untilReads("super:one");
            Await.until(
                    "the Secret to be seen",
                    Story.PATIENCE,
                    () -> ensemble.missing("SuperUserReady"));
            secret("two");
            Duration second = untilReads("super:two");
            Await.until(
                    "the old password to be refused",
                    Story.PATIENCE,
                    () -> says(() -> reads("super:one") ? "it still counts" : ""));
            story.report()
                    .say(
                            "the superuser's Secret counts %s after it was made, and %s after it was changed"
                                    .formatted(Report.seconds(first), Report.seconds(second)));
        }

        private Duration untilReads(String who) {
            return Await.until(
                    who.substring(who.length() - 3) + " to be the superuser's password",
                    Story.PATIENCE,
                    () -> says(() -> reads(who) ? "" : "not yet"));
        }

        private interface Asked {
            String ask() throws Exception;
        }

        /// A connection may break on a busy machine.
        private static String says(Asked question) {
            try {
                return question.ask();
            } catch (Exception e) {
                return e.toString();
            }
        }

        /// {@return whether somebody may read what belongs to another one, on the last member}
        private boolean reads(String who) throws Exception {
            try (LocalPortForward to = toLast();
                    ZooKeeper client = connect(to)) {
                client.addAuthInfo("digest", who.getBytes(StandardCharsets.UTF_8));
                client.getData(MINE, false, null);
                return true;
            } catch (KeeperException.NoAuthException _) {
                return false;
            }
        }

        /// Makes what nobody else may read.
        private void mine() throws Exception {
            try (LocalPortForward to = toLast();
                    ZooKeeper client = connect(to)) {
                client.addAuthInfo("digest", "owner:x".getBytes(StandardCharsets.UTF_8));
                client.create(
                        MINE, new byte[0], ZooDefs.Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
            }
        }

        private LocalPortForward toLast() {
            return story.client()
                    .pods()
                    .inNamespace(story.namespace())
                    .withName("orders-" + (MEMBERS - 1))
                    .portForward(CLIENT_PORT);
        }

        private static ZooKeeper connect(LocalPortForward to) throws IOException {
            return new ZooKeeper("127.0.0.1:" + to.getLocalPort(), 10_000, _ -> {});
        }

        private void secret(String password) {
            story.client()
                    .resource(
                            new SecretBuilder()
                                    .withNewMetadata()
                                    .withName(SECRET)
                                    .withNamespace(story.namespace())
                                    .endMetadata()
                                    .addToData(
                                            "password",
                                            Base64.getEncoder()
                                                    .encodeToString(
                                                            password.getBytes(
                                                                    StandardCharsets.UTF_8)))
                                    .build())
                    .serverSideApply();
        }

        private String missingEvent(String reason) {
            List<String> there =
                    story
                            .client()
                            .v1()
                            .events()
                            .inNamespace(story.namespace())
                            .list()
                            .getItems()
                            .stream()
                            .map(Event::getReason)
                            .toList();
            return there.contains(reason) ? "" : "no event " + reason + " among " + there;
        }
    }
}
