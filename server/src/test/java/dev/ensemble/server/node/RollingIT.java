package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Every member is restarted under load, as an upgrade does it: the leader last.
///
/// What a client may see of it is that its connection closes, and then its next attempt succeeds
/// (`safety.md` 16).
@Timeout(300)
final class RollingIT {
    private static final Logger LOG = LoggerFactory.getLogger(RollingIT.class);
    private static final int WORKERS = 12;

    @TempDir Path folder;

    @Test
    void clientsSeeNothingButClosedConnections() throws Exception {
        try (var members = new MemberProcesses(folder, 3).startAll()) {
            members.awaitAllSynced();
            try (var workers = new Workers(WORKERS, WORKERS / 2, members.connectString())) {
                awaitProgress(members, workers);
                List<Integer> order = new ArrayList<>(members.ids());
                int leader = members.awaitLeader();
                order.removeIf(id -> id == leader);
                order.add(leader);
                for (int id : order) {
                    assertEquals(0, members.terminate(id));
                    awaitProgress(members, workers);
                    members.start(id);
                    members.awaitAllSynced();
                    awaitProgress(members, workers);
                }
                workers.stopAndCheck(members);
                LOG.info(
                        "{} writes acknowledged, {} requests cut off with their connection, {} of"
                                + " them of clients that pause",
                        workers.acknowledged(),
                        workers.lost(),
                        workers.lostByPausing());
                assertEquals(0, workers.lostAgain(), "a retry must succeed");
            }
        }
    }

    private static void awaitProgress(MemberProcesses members, Workers workers)
            throws InterruptedException {
        long enough = workers.acknowledged() + 10 * WORKERS;
        members.await(
                "acknowledged writes",
                () -> workers.acknowledged() >= enough || workers.haveFailed());
    }
}
