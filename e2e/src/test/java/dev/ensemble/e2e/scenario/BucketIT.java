package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.Bucket;
import dev.ensemble.e2e.harness.Clients;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Report;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.List;

/// Of scenarios 51 and 56, a bucket: a schedule makes backups, `kubectl ensemble backup` makes one
/// under load, a store that refuses is named, and another ensemble begins with the backup.
@Tag("long")
@ExtendWith(Stage.class)
class BucketIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SPEC =
            "{replicas: 3, config: {heartbeatTimeoutMillis: \"2000\"}%s}";

    private static final String WRONG =
            """
            apiVersion: v1
            kind: Secret
            metadata: {name: wrong-key}
            stringData: {AWS_ACCESS_KEY_ID: somebody, AWS_SECRET_ACCESS_KEY: something}
            """;

    @Test
    void backupsGoToABucketAndAnEnsembleBeginsWithOne(Story story) throws JsonProcessingException {
        try (Bucket bucket = story.bucket()) {
            EnsembleView orders = story.apply("orders", SPEC.formatted(""));
            story.well(orders, 3);
            story.load(
                    """
                    apiVersion: ensemble.dev/v1alpha1
                    kind: EnsembleBackupSchedule
                    metadata: {name: often}
                    spec:
                      ensemble: orders
                      cron: "* * * * *"
                      destination: {s3: {bucket: %s, prefix: orders, endpoint: "%s", secretName: %s}}
                      retention: {count: 1}
                    """
                            .formatted(Bucket.NAME, bucket.endpoint(), Bucket.SECRET));
            JsonNode backup;
            try (Clients clients = story.clients(orders)) {
                backup = take(story, bucket);
                twoByTheSchedule(story);
                clients.goOn();
                clients.finish();
            }
            story.kubectl("delete", "ensbaksched", "often");
            story.load(WRONG);
            String refused = refused(story, bucket);
            assertTrue(refused.contains("Failed"), refused);
            story.report().say("with a wrong key: " + refused.strip().lines().toList().getLast());
            story.sound(orders, 3, 0);

            EnsembleView copy =
                    story.apply(
                            "copy",
                            SPEC.formatted(
                                    ", bootstrap: {fromBackup: {s3: {bucket: %s, endpoint: \"%s\", secretName: %s}, file: %s}}"
                                            .formatted(
                                                    Bucket.NAME,
                                                    bucket.endpoint(),
                                                    Bucket.SECRET,
                                                    backup.path("file").asText())));
            story.report()
                    .say(
                            "another ensemble begins with the backup in the bucket: "
                                    + Report.seconds(story.well(copy, 3)));
            assertEquals(3, copy.voters());
            int held = backup.path("znodes").asInt();
            int now = copy.znodes();
            // Ephemerals of the old sessions are gone.
            assertTrue(now > held / 2 && now <= held, now + " znodes of " + held);
            try (Clients clients = story.clients(copy)) {
                clients.goOn();
                clients.finish();
            }
            story.sound(copy, 3, 0);
        }
    }

    /// {@return the status of a backup that the plugin took}
    private static JsonNode take(Story story, Bucket bucket) throws JsonProcessingException {
        String said = plugin(story, bucket, Bucket.SECRET);
        story.report().say("kubectl ensemble backup:\n" + said);
        String name =
                said.lines()
                        .filter(each -> each.startsWith("EnsembleBackup "))
                        .findFirst()
                        .orElseThrow()
                        .substring("EnsembleBackup ".length());
        JsonNode status =
                JSON.readTree(story.kubectl("get", "ensbak", name, "-o", "json")).path("status");
        assertEquals("Complete", status.path("phase").asText(), status::toString);
        assertEquals("by-hand/" + name + ".ensemble", status.path("file").asText());
        return status;
    }

    /// {@return what the plugin says of a store that does not know the key}
    private static String refused(Story story, Bucket bucket) {
        try {
            return plugin(story, bucket, "wrong-key");
        } catch (IllegalStateException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static String plugin(Story story, Bucket bucket, String secret) {
        return story.plugin(
                "backup",
                "orders",
                "--bucket=" + Bucket.NAME,
                "--prefix=by-hand",
                "--endpoint=" + bucket.endpoint(),
                "--secret=" + secret,
                "--wait=240");
    }

    /// Two have been there, the first one of which is gone, as `retention` says.
    private static void twoByTheSchedule(Story story) {
        Await.until(
                "a backup of the schedule",
                Story.PATIENCE,
                () -> complete(story).isEmpty() ? "none is complete" : "");
        String first = complete(story).getFirst();
        Await.until(
                "another one in its place",
                Story.PATIENCE,
                () -> {
                    List<String> now = complete(story);
                    return now.isEmpty() || now.contains(first) ? "there are " + now : "";
                });
        story.report().say("the schedule made one, and a later one in its place");
    }

    private static List<String> complete(Story story) {
        return story.kubectl(
                        "get",
                        "ensbak",
                        "-l",
                        "ensemble.dev/schedule=often",
                        "-o",
                        "jsonpath={range"
                            + " .items[?(@.status.phase==\"Complete\")]}{.metadata.name}{\"\\n\"}{end}")
                .lines()
                .filter(each -> !each.isBlank())
                .toList();
    }
}
