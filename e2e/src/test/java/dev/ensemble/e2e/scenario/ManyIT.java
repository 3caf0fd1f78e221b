package dev.ensemble.e2e.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.ensemble.e2e.harness.Await;
import dev.ensemble.e2e.harness.EnsembleView;
import dev.ensemble.e2e.harness.Memory;
import dev.ensemble.e2e.harness.Operator;
import dev.ensemble.e2e.harness.Stage;
import dev.ensemble.e2e.harness.Story;

import io.fabric8.kubernetes.api.model.apps.StatefulSet;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Isolated;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;

/// Fifty ensembles under one operator, of which most sleep, since no test machine holds all of
/// them: what memory the operator takes; then the operator is upgraded and comes back in another
/// shape, and no member restarts (scenario 9).
@Tag("long")
@ExtendWith(Stage.class)
@Isolated
class ManyIT {
    private static final int AWAKE = 3;
    private static final int ASLEEP = 47;

    @Test
    void fiftyEnsemblesAndAnUpgradeOfTheirOperator(Story story) {
        List<EnsembleView> awake = new ArrayList<>();
        for (int i : IntStream.range(0, AWAKE).toArray()) {
            awake.add(
                    story.apply(
                            "awake-" + i,
                            "{replicas: 1, config: {heartbeatTimeoutMillis: \"2000\"}}"));
        }
        story.report().say("memory of the operator before, MB: " + operatorsMemory(story));
        for (int i : IntStream.range(0, ASLEEP).toArray()) {
            story.apply("asleep-" + i, "{replicas: 3, hibernate: true}");
        }
        awake.forEach(each -> story.well(each, 1));
        Await.until(
                "all that sleep to be told so",
                Story.PATIENCE,
                () -> {
                    long told =
                            sets(story).values().stream()
                                    .filter(set -> set.getSpec().getReplicas() == 0)
                                    .count();
                    return told == ASLEEP ? "" : told + " of " + ASLEEP;
                });
        Await.pass(Duration.ofMinutes(1));
        story.report()
                .say(
                        "memory of the operator with %d ensembles, %d of them asleep, MB: %s"
                                .formatted(AWAKE + ASLEEP, ASLEEP, operatorsMemory(story)));

        Map<String, Map<String, String>> pods = new TreeMap<>();
        awake.forEach(each -> pods.put(each.name(), each.uids()));
        Map<String, StatefulSet> before = sets(story);
        var definition = definition(story);
        story.operator().install("podAnnotations.release=next", "resources.limits.memory=384Mi");
        awake.forEach(each -> story.well(each, 1));
        Await.pass(Duration.ofSeconds(30));
        unchanged(story, awake, pods, before);
        story.operator().install();
        awake.forEach(each -> story.well(each, 1));
        Await.pass(Duration.ofSeconds(30));
        unchanged(story, awake, pods, before);
        assertEquals(definition, definition(story), "the definition of Ensemble");
        story.report().say("operator replaced twice, and no member restarted");
    }

    private static Map<String, Long> operatorsMemory(Story story) {
        return Memory.megabytes(story.client(), Operator.NAMESPACE);
    }

    private static String definition(Story story) {
        var there =
                story.client()
                        .apiextensions()
                        .v1()
                        .customResourceDefinitions()
                        .withName("ensembles.ensemble.dev")
                        .require();
        return there.getMetadata().getUid();
    }

    private static Map<String, StatefulSet> sets(Story story) {
        Map<String, StatefulSet> sets = new TreeMap<>();
        story.client()
                .apps()
                .statefulSets()
                .inNamespace(story.namespace())
                .list()
                .getItems()
                .forEach(set -> sets.put(set.getMetadata().getName(), set));
        return sets;
    }

    private static void unchanged(
            Story story,
            List<EnsembleView> awake,
            Map<String, Map<String, String>> pods,
            Map<String, StatefulSet> before) {
        awake.forEach(each -> assertEquals(pods.get(each.name()), each.uids(), each.name()));
        Map<String, StatefulSet> now = sets(story);
        assertFalse(now.isEmpty());
        before.forEach((name, set) -> {
            StatefulSet there = Objects.requireNonNull(now.get(name), name);
            assertEquals(set.getMetadata().getUid(), there.getMetadata().getUid(), name);
            assertEquals(
                    set.getMetadata().getGeneration(), there.getMetadata().getGeneration(), name);
        });
    }
}
