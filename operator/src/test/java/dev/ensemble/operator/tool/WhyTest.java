package dev.ensemble.operator.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;

import dev.ensemble.operator.api.Ensemble;

import org.junit.jupiter.api.Test;

final class WhyTest {
    private static String why(String yaml) throws JsonProcessingException {
        Ensemble resource = new ObjectMapper(new YAMLFactory()).readValue(yaml, Ensemble.class);
        return String.join(
                "\n",
                Why.of(resource).stream()
                        .map(each -> each.what() + ": " + each.message())
                        .toList());
    }

    private static String with(String conditions) {
        return """
        metadata: {name: orders, generation: 2}
        status:
          observedGeneration: 2
          conditions:
        """
                + conditions.indent(4);
    }

    @Test
    void nothingToSayWhileAllIsWell() throws JsonProcessingException {
        assertEquals(
                "",
                why(
                        with(
                                """
                                - {type: Ready, status: "True", reason: AllMembersReady, message: fine}
                                - {type: Progressing, status: "False", reason: Settled, message: done}
                                - {type: Paused, status: "False", reason: NotPaused, message: at work}
                                """)));
    }

    @Test
    void whatIsNotAsItShouldBeIsSaidWithItsReason() throws JsonProcessingException {
        assertEquals(
                """
                Ready is False, Unschedulable: pod orders-1: no node fits
                Progressing is True, Waiting: Waiting for orders-1\
                """,
                why(
                        with(
                                """
                                - {type: Ready, status: "False", reason: Unschedulable,
                                   message: "pod orders-1: no node fits"}
                                - {type: QuorumAvailable, status: "True", reason: QuorumPresent,
                                   message: fine}
                                - {type: Progressing, status: "True", reason: Waiting,
                                   message: Waiting for orders-1}
                                """)));
    }

    @Test
    void anOperatorThatIsNotThereIsSuspected() throws JsonProcessingException {
        assertEquals(
                "operator: it has not looked at this Ensemble yet; does it run?",
                why("metadata: {name: orders, generation: 1}"));
        assertEquals(
                "operator: it has not looked at the newest spec yet; does it run?",
                why(
                        """
                        metadata: {name: orders, generation: 3}
                        status: {observedGeneration: 2, conditions: []}
                        """));
    }

    @Test
    void aMemberThatIsNotReadySaysWhy() throws JsonProcessingException {
        assertEquals(
                "member orders-2: it crashes; it is out of sync",
                why(
                        """
                        metadata: {name: orders, generation: 1}
                        status:
                          observedGeneration: 1
                          conditions: []
                          members:
                          - {myid: 1, name: orders-0, role: leader, ready: true, upToDate: true, restarts: 0,
                             reasons: [a warning]}
                          - {myid: 3, name: orders-2, role: unknown, ready: false, upToDate: true, restarts: 9,
                             reasons: [it crashes, it is out of sync]}
                        """));
    }
}
