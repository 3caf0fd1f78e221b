package dev.ensemble.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

final class AdmissionTest {
    private long nowMillis = 1000;
    private double chance;

    private Admission admission(ClientLimits.Tokens tokens) {
        return new Admission(tokens, () -> nowMillis, () -> chance);
    }

    @Test
    @DisplayName("b318: so many at once, and as many more as time brings")
    void tokens() {
        Admission admission = admission(new ClientLimits.Tokens(3, 10, 2, -1, 0, 0, 0, 1, 1));
        assertEquals(3, admitted(admission, 5));
        nowMillis += 9;
        assertEquals(0, admitted(admission, 5));
        nowMillis += 1;
        assertEquals(2, admitted(admission, 5));
        nowMillis += 1_000_000;
        assertEquals(3, admitted(admission, 5));
    }

    @Test
    @DisplayName("b318: new sessions and those that come back weigh differently")
    void weights() {
        Admission admission = admission(new ClientLimits.Tokens(5, 10, 1, -1, 0, 0, 0, 3, 2));
        assertTrue(admission.admits(false));
        assertFalse(admission.admits(false));
        assertTrue(admission.admits(true));
        assertFalse(admission.admits(true));
    }

    @Test
    @DisplayName("b318: the chance to be refused grows while no tokens are left, and shrinks again")
    void dropping() {
        Admission admission =
                admission(new ClientLimits.Tokens(10, 1000, 10, 100, 0.5, 0.25, 0.5, 1, 1));
        assertEquals(10, admitted(admission, 20));
        nowMillis += 100;
        assertFalse(admission.admits(false));
        assertEquals(0.5, admission.dropChance());
        nowMillis += 1000;
        chance = 0.2;
        assertFalse(admission.admits(false), "tokens are there, and chance is against it");
        assertEquals(0.25, admission.dropChance());
        chance = 0.6;
        assertTrue(admission.admits(false));
    }

    @Test
    void nobodyIsRefusedByDefault() {
        assertEquals(1000, admitted(admission(ClientLimits.OFF.tokens()), 1000));
    }

    @Test
    void otherLimitsCountAtOnce() {
        Admission admission = admission(ClientLimits.OFF.tokens());
        admission.limit(new ClientLimits.Tokens(3, 10, 1, 100, 0.5, 0.25, 0, 1, 1));
        assertEquals(3, admitted(admission, 5), "a bucket that there was not is full");
        nowMillis += 100;
        chance = 0.9;
        assertEquals(3, admitted(admission, 5));
        nowMillis += 10;
        admission.limit(new ClientLimits.Tokens(9, 10, 1, 100, 0.5, 0.25, 0, 1, 1));
        assertEquals(1, admitted(admission, 5), "nobody gets tokens by a change");
        nowMillis += 10_000;
        assertEquals(9, admitted(admission, 20));
        nowMillis += 10_000;
        assertTrue(admission.admits(true));
        admission.limit(new ClientLimits.Tokens(2, 10, 1, -1, 0, 0, 0, 1, 1));
        assertEquals(2, admitted(admission, 5), "what does not fit is gone");
        assertEquals(0, admission.dropChance());
        admission.limit(ClientLimits.OFF.tokens());
        assertEquals(100, admitted(admission, 100));
    }

    private static int admitted(Admission admission, int tries) {
        int admitted = 0;
        for (int i = 0; i < tries; i++) {
            admitted += admission.admits(false) ? 1 : 0;
        }
        return admitted;
    }
}
