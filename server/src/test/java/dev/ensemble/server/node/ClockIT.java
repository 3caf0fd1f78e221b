package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/// The wall clocks of real members jump, both ways, each for itself and all of them, under load: no
/// election, no session that expires, nothing lost. Only the times of znodes show it.
///
/// To see it fail: take the nanoseconds of `PeerLoop` from its wall clock.
@SuppressWarnings("try") // ZooKeeper's close may be interrupted.
@Timeout(240)
final class ClockIT {
    private static final int SIZE = 3;
    private static final int WORKERS = 6;
    private static final List<Duration> JUMPS =
            List.of(
                    Duration.ofDays(1),
                    Duration.ofDays(-3650),
                    Duration.ofSeconds(-2),
                    Duration.ofDays(36_500),
                    Duration.ZERO);

    @TempDir Path folder;

    /// A member whose wall clock is off by what a file says, in ms.
    public static final class Program {
        private Program() {}

        public static void main(String[] args) throws Exception {
            Config config =
                    Config.load(Path.of(args[0]), OptionalInt.of(Integer.parseInt(args[1])));
            MappedByteBuffer off = map(Path.of(args[2]));
            ServerNode.start(config, null, () -> System.currentTimeMillis() + off.getLong(0))
                    .ended()
                    .join();
        }
    }

    private static MappedByteBuffer map(Path file) throws IOException {
        try (FileChannel channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
            return channel.map(FileChannel.MapMode.READ_WRITE, 0, Long.BYTES);
        }
    }

    @Test
    void jumpsOfTheWallClockChangeNothingButTimes() throws Exception {
        List<MappedByteBuffer> clocks = new ArrayList<>();
        try (var members = new MemberProcesses(folder, SIZE)) {
            for (int id : members.ids()) {
                // An election on a busy machine would prove nothing.
                Path config = members.configFile(id);
                Files.writeString(
                        config,
                        Files.readString(config)
                                .replaceAll("(heartbeatTimeoutMillis=).*", "$1" + "30000"));
                Path file = folder.resolve("clock" + id);
                clocks.add(map(file));
                members.startBy(id, Program.class, file.toString());
            }
            members.awaitAllSynced();
            int leader = members.awaitLeader();
            Object epoch = epoch(members, leader);
            try (var workers = new Workers(WORKERS, WORKERS / 2, members.connectString());
                    ZooKeeper client = Workers.connect(members.connectString())) {
                client.create(
                        "/time", new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
                for (Duration jump : JUMPS) {
                    for (MappedByteBuffer clock : clocks) {
                        clock.putLong(0, jump.toMillis());
                        awaitProgress(members, workers);
                    }
                    Stat written = client.setData("/time", new byte[0], -1);
                    Duration shown =
                            Duration.ofMillis(written.getMtime() - System.currentTimeMillis());
                    assertTrue(
                            Math.abs(jump.toDays() - shown.toDays()) <= 1,
                            () -> "the znode is of " + written.getMtime());
                }
                assertEquals(leader, members.awaitLeader());
                assertEquals(epoch, epoch(members, leader), "there was an election");
                workers.stopAndCheck(members);
                assertEquals(0, workers.lost(), "a connection was lost");
            }
        }
    }

    private static Object epoch(MemberProcesses members, int id) throws InterruptedException {
        Map<String, Object> status = members.status(id);
        if (status == null || status.get("epoch") == null) {
            throw new AssertionError("no epoch in the status " + status);
        }
        return status.get("epoch");
    }

    private static void awaitProgress(MemberProcesses members, Workers workers)
            throws InterruptedException {
        long enough = workers.acknowledged() + 10 * WORKERS;
        members.await(
                "acknowledged writes",
                () -> workers.acknowledged() >= enough || workers.haveFailed());
    }
}
