package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.admin.ZooKeeperAdmin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.File;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Members of this build and of the release before it in one ensemble, with the same data, under
/// the load of stock clients: what a rolling upgrade does, and going back half way.
///
/// The release before is its own classes, frozen (`frozen/builds/README.md`); libraries are those
/// of this build.
@Timeout(300)
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
final class MixedVersionsIT {
    private static final String BEFORE = "/frozen/builds/server-38c8bd7.jar";

    /// What the release before knows.
    private static final int LEVEL_BEFORE = 2;

    private static final int LEVEL = 3;
    private static final int WORKERS = 6;

    @TempDir Path folder;

    @Test
    void upgradesOneByOneAndGoesBackBeforeTheLevelRises() throws Exception {
        try (var members = new MemberProcesses(folder, 3)) {
            for (int id : members.ids()) {
                members.configure(
                        id, "reconfigEnabled=true\nskipACL=yes\nmultiAddress.enabled=true\n");
                members.build(id, before());
                members.start(id);
            }
            members.awaitAllSynced();
            try (var workers = new Workers(WORKERS, WORKERS / 2, members.connectString())) {
                awaitProgress(members, workers);
                awaitLevel(members, LEVEL_BEFORE);
                int leader = members.awaitLeader();
                List<Integer> others = new ArrayList<>(members.ids());
                others.removeIf(id -> id == leader);
                int first = others.getFirst();

                // One of this build follows, then leads; two of the release before do the other.
                become(members, workers, first, "");
                transfer(members, leader);
                awaitProgress(members, workers);
                transfer(members, first);
                awaitProgress(members, workers);
                refusesWhatTheOthersDoNotKnow(members, first);

                // Back, which hands over again.
                become(members, workers, first, before());
                awaitLevel(members, LEVEL_BEFORE);

                int last = members.awaitLeader();
                others = new ArrayList<>(members.ids());
                others.removeIf(id -> id == last);
                for (int id : others) {
                    become(members, workers, id, "");
                    awaitLevel(members, LEVEL_BEFORE);
                }
                become(members, workers, last, "");
                awaitLevel(members, LEVEL);
                awaitProgress(members, workers);
                workers.stopAndCheck(members);
                assertEquals(0, workers.lostAgain(), "a retry must succeed");
            }
        }
    }

    private static String before() throws Exception {
        URI jar = Objects.requireNonNull(MixedVersionsIT.class.getResource(BEFORE)).toURI();
        return Path.of(jar).toString() + File.pathSeparator;
    }

    private static void become(MemberProcesses members, Workers workers, int id, String build)
            throws Exception {
        assertEquals(0, members.terminate(id));
        members.build(id, build);
        members.start(id);
        members.awaitAllSynced();
        awaitProgress(members, workers);
    }

    private static void transfer(MemberProcesses members, int to) throws Exception {
        for (int leader = members.awaitLeader(); leader != to; leader = members.awaitLeader()) {
            String token = Token.read(members.tokenFile(leader));
            var _ =
                    members.send(
                            leader,
                            "/v1/leadership:transfer",
                            HttpRequest.newBuilder()
                                    .header("Authorization", "Bearer " + token)
                                    .POST(
                                            HttpRequest.BodyPublishers.ofString(
                                                    "{\"to\": " + to + "}")));
        }
    }

    /// A member at two addresses is what level 3 adds.
    private static void refusesWhatTheOthersDoNotKnow(MemberProcesses members, int leader)
            throws Exception {
        int port = members.peerPort(leader);
        String two = members.memberLine(leader) + "|127.0.0.2:" + port + ":" + port;
        try (var admin =
                new ZooKeeperAdmin("127.0.0.1:" + members.clientPort(leader), 40_000, _ -> {})) {
            assertThrows(
                    KeeperException.BadArgumentsException.class,
                    () -> admin.reconfigure(two, null, (String) null, -1, null));
        }
    }

    private static void awaitLevel(MemberProcesses members, int level) throws InterruptedException {
        for (int id : members.ids()) {
            members.awaitStatus(
                    id,
                    "at level " + level,
                    status ->
                            status.get("configuration") instanceof Map<?, ?> configuration
                                    && Integer.valueOf(level).equals(configuration.get("level")));
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
