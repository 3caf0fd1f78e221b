package dev.ensemble.operator.reconcile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/// What a person reads of a server that ends soon after each start, and of a pod that is not made.
final class TroublesTest {
    @Test
    void aCrashIsToldInTheServersOwnWordsAndNotInJavas() {
        assertEquals(
                "ensemble: /etc/ensemble/zoo.cfg: tickTime=x is not a number",
                Troubles.complaint(
                        """
                        NOTE: Picked up JDK_JAVA_OPTIONS: -XX:MaxRAMPercentage=60
                        time=2026-11-21T15:36:46.223Z level=INFO logger=ServerNode msg=recovered

                        ensemble: /etc/ensemble/zoo.cfg: tickTime=x is not a number
                        java.lang.IllegalStateException: ended
                        """));
    }

    @Test
    void withNothingBetterItIsTheLastLine() {
        assertEquals(
                "time=2 level=INFO msg=b",
                Troubles.complaint(
                        "NOTE: options\ntime=1 level=INFO msg=a\ntime=2 level=INFO msg=b\n"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\n \n"})
    void anEmptyLogSaysNothing(String log) {
        assertEquals("", Troubles.complaint(log));
    }

    @Test
    void aRefusalIsOverOnceAPodWasCreated() {
        Event refused = event("FailedCreate", "2026-11-21T15:36:46Z");
        assertEquals(refused, Troubles.refusal(List.of(refused)));
        assertEquals(
                refused,
                Troubles.refusal(
                        List.of(event("SuccessfulCreate", "2026-11-21T15:36:45Z"), refused)));
        assertNull(
                Troubles.refusal(
                        List.of(refused, event("SuccessfulCreate", "2026-11-21T15:36:47Z"))));
        assertNull(Troubles.refusal(List.of(event("SuccessfulCreate", "2026-11-21T15:36:47Z"))));
    }

    private static Event event(String reason, String time) {
        return new EventBuilder()
                .withReason(reason)
                .withMessage("exceeded quota")
                .withLastTimestamp(time)
                .build();
    }
}
