package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.AclRules;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.store.TxnCodec;

import org.junit.jupiter.api.Test;

import java.util.List;

final class RehearsalTest {
    private static final AclRules ANYBODY =
            new AclRules() {
                @Override
                public boolean permits(List<Acl> acl, int perm, List<Id> identities) {
                    return true;
                }

                @Override
                public boolean isValid(Id id) {
                    return true;
                }

                @Override
                public boolean authenticates(Id identity) {
                    return false;
                }
            };

    /// What it is for shows in the figures of `server/docs/testing.md` only; a change of the core
    /// that it does not fit any more shows here.
    @Test
    void playsToItsEnd() {
        assertTrue(new Rehearsal(ANYBODY, new TxnCodec()).play());
    }
}
