package dev.ensemble.server.zab;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("safety.md 13: whether a quorum has space")
class SpaceTest {
    private final Space space = new Space();

    @Test
    @DisplayName("learners that are on their way after a hand-over are not taken for full ones")
    void nobodyThere() {
        space.weigh(false, false);
        assertFalse(space.isCramped());
    }

    @Test
    @DisplayName("a quorum that is there only with full members has no space, until it has")
    void fullOnesNeeded() {
        space.weigh(false, true);
        assertTrue(space.isCramped());
        space.weigh(true, true);
        assertFalse(space.isCramped());
    }

    @Test
    @DisplayName("what was known of full disks outlasts the loss of the quorum")
    void staysKnown() {
        space.weigh(false, true);
        space.weigh(false, false);
        assertTrue(space.isCramped());
    }
}
