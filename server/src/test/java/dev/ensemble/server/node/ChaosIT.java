package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// One fault after another under load of stock clients: whatever happens to fewer than half of the
/// members, work goes on; whatever happens at all, nothing that was acknowledged is lost and
/// nothing is applied twice ([Workers] says how that is seen).
///
/// `-Densemble.chaosSeconds=N` on the command line of Maven makes it N seconds for each size
/// instead of 25, `-Densemble.chaosSeed=N` repeats the order of faults.
@Timeout(3600)
final class ChaosIT {
    private static final Logger LOG = LoggerFactory.getLogger(ChaosIT.class);

    private enum Fault {
        KILL,
        KILL_LEADER,
        KILL_ALL,
        FREEZE,
        FREEZE_LEADER,
        TERMINATE,
        /// No connection to anyone.
        CUT_OFF,
        /// The connections stay, and nothing comes through.
        SILENT,
        /// It hears the others, and they do not hear it.
        ONE_WAY,
        CUT_ONE_LINK,
        CUT_CLIENTS,
        FULL_DISK
    }

    @TempDir Path folder;

    @ParameterizedTest(name = "{0} members")
    @ValueSource(ints = {3, 5})
    void nothingAcknowledgedIsLost(int size) throws Exception {
        long seed = Long.getLong("ensemble.chaosSeed", System.nanoTime());
        var random = new Random(seed);
        Map<Fault, Integer> done = new EnumMap<>(Fault.class);
        try (var network = new FaultyNetwork(folder, size);
                var members = new MemberProcesses(folder, size, network)) {
            network.start(members);
            members.startAll().awaitAllSynced();
            try (var load = new Workers(6, 4, FaultyNetwork.connectString(members))) {
                var chaos = new Chaos(members, network, load, random);
                long seconds = Long.getLong("ensemble.chaosSeconds", 25);
                long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
                List<Fault> next = new ArrayList<>();
                while (System.nanoTime() < end && !load.haveFailed()) {
                    if (next.isEmpty()) {
                        next.addAll(List.of(Fault.values()));
                        Collections.shuffle(next, random);
                    }
                    Fault fault = next.removeLast();
                    LOG.info("{}", fault);
                    chaos.happen(fault);
                    done.merge(fault, 1, Integer::sum);
                }
                members.awaitAllSynced();
                load.stopAndCheck(members);
                LOG.info(
                        "seed {}, {} members: {}; {} writes acknowledged, {} requests cut off",
                        seed,
                        size,
                        done,
                        load.acknowledged(),
                        load.lost());
            }
        } catch (AssertionError e) {
            throw new AssertionError("seed " + seed + ", faults " + done, e);
        }
    }

    private static boolean saysThatItsDiskIsFull(Map<String, Object> status) {
        return String.valueOf(status.get("warnings")).contains("takes no part");
    }

    /// What faults happen to.
    private record Chaos(
            MemberProcesses members, FaultyNetwork network, Workers workers, Random random) {
        void happen(Fault fault) throws Exception {
            int victim = 1 + random.nextInt(members.ids().size());
            switch (fault) {
                case KILL -> killed(victim);
                case KILL_LEADER -> killed(members.awaitLeader());
                case KILL_ALL -> {
                    members.kill(members.ids().toArray(Integer[]::new));
                    members.startAll();
                }
                case FREEZE -> frozen(victim);
                case FREEZE_LEADER -> frozen(members.awaitLeader());
                case TERMINATE -> {
                    assertEquals(0, members.terminate(victim));
                    goOn();
                    members.start(victim);
                }
                case CUT_OFF -> {
                    others(victim).forEach(other -> network.cut(victim, other));
                    goOn();
                }
                case SILENT -> {
                    for (int other : others(victim)) {
                        network.silence(victim, other);
                        network.silence(other, victim);
                    }
                    goOn();
                }
                case ONE_WAY -> {
                    others(victim).forEach(other -> network.silence(victim, other));
                    goOn();
                }
                case CUT_ONE_LINK -> {
                    network.cut(victim, others(victim).getFirst());
                    goOn();
                }
                case CUT_CLIENTS -> {
                    network.cut(FaultyNetwork.CLIENT, victim);
                    goOn();
                }
                case FULL_DISK -> {
                    assertEquals(0, members.terminate(victim));
                    // More than any disk has.
                    members.configure(victim, "disk.lowWaterMegabytes=1000000000\n");
                    members.start(victim);
                    members.awaitStatus(
                            victim, "says that its disk is full", ChaosIT::saysThatItsDiskIsFull);
                    goOn();
                    assertEquals(0, members.terminate(victim));
                    members.configure(victim, "");
                    members.start(victim);
                }
            }
            network.heal();
            members.awaitAllSynced();
            goOn();
        }

        private List<Integer> others(int id) {
            List<Integer> others = new ArrayList<>(members.ids());
            others.removeIf(other -> other == id);
            Collections.shuffle(others, random);
            return others;
        }

        private void killed(int id) throws Exception {
            members.kill(id);
            goOn();
            members.start(id);
        }

        private void frozen(int id) throws Exception {
            members.signal(id, "STOP");
            try {
                if (random.nextBoolean()) {
                    goOn();
                } else {
                    // Perhaps too short for anyone to notice.
                    assertFalse(
                            new CountDownLatch(1)
                                    .await(random.nextInt(1500), TimeUnit.MILLISECONDS));
                }
            } finally {
                members.signal(id, "CONT");
            }
        }

        /// Waits until the clients have got some writes done, with what is wrong now.
        private void goOn() throws InterruptedException {
            long enough = workers.acknowledged() + 30;
            members.await(
                    "acknowledged writes",
                    () -> workers.acknowledged() >= enough || workers.haveFailed());
        }
    }
}
