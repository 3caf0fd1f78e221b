package dev.ensemble.operator.certificates;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// The operator's own authority and what it signs, with real keys.
final class RotationTest {
    private static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");
    private static final int SIZE = 3;
    private static final Maker MAKER = new Maker();

    private static Rotation.Want want(String rotatedAt, Duration overlap) {
        Map<String, List<String>> leaves = new TreeMap<>();
        for (int myid = 1; myid <= SIZE; myid++) {
            leaves.put(myid + ".pem", List.of("e-" + myid + ".svc", "ensemble://id/" + myid));
        }
        return new Rotation.Want("e.ns", leaves, rotatedAt, overlap);
    }

    /// The Secrets, and members that load what they mount when they like.
    private static final class World {
        private Map<String, String> authority = new TreeMap<>();
        private Map<String, String> members = new TreeMap<>();
        private final Map<Integer, Map<String, String>> loaded = new TreeMap<>();
        private final List<String> told = new ArrayList<>();
        private Rotation.Want want = want("", Duration.ZERO);
        private Instant now = BEGIN;

        /// What the operator does in a pass, which ends after so many writes.
        @Nullable String pass(int writes) {
            for (int i = 0; i < writes; i++) {
                Rotation.Next next =
                        Rotation.next(MAKER, Keyring.of(authority, members), want, said(), now);
                if (!next.keyring().authority().equals(authority)) {
                    authority = next.keyring().authority();
                } else if (!next.keyring().members().equals(members)) {
                    members = next.keyring().members();
                } else {
                    return next.waiting();
                }
                told.add(String.valueOf(next.done()));
            }
            return null;
        }

        Rotation.Loaded said() {
            return new Rotation.Loaded(
                    loaded.size() == SIZE,
                    loaded.entrySet().stream()
                            .map(each -> shown(each.getKey(), each.getValue()).fingerprint())
                            .toList(),
                    loaded.values().stream()
                            .map(each ->
                                    Certified.all(text(each, Keyring.TRUSTED)).stream()
                                            .map(Certified::fingerprint)
                                            .collect(Collectors.toSet()))
                            .toList());
        }

        void load(int myid) {
            if (members.containsKey(myid + ".pem")) {
                loaded.put(myid, members);
                judge();
            }
        }

        /// Everybody trusts whom anybody shows.
        private void judge() {
            loaded.forEach((shows, files) -> {
                String issuer = shown(shows, files).issuer();
                loaded.forEach((sees, trust) ->
                        assertTrue(
                                Certified.all(text(trust, Keyring.TRUSTED)).stream()
                                        .anyMatch(each -> each.subject().equals(issuer)),
                                () ->
                                        "%d does not trust %d, after %s"
                                                .formatted(sees, shows, told)));
            });
        }

        private static Certified shown(int myid, Map<String, String> files) {
            return Certified.all(text(files, myid + ".pem")).getFirst();
        }

        private static String text(Map<String, String> files, String name) {
            return Objects.requireNonNull(files.get(name));
        }

        void settle() {
            for (int i = 0; i < 10; i++) {
                pass(9);
                for (int myid = 1; myid <= SIZE; myid++) {
                    load(myid);
                }
            }
        }

        List<Certified> trusted() {
            return Certified.all(text(members, Keyring.TRUSTED));
        }
    }

    @Test
    void eachMemberHasACertificateOfItsOwn() {
        World world = new World();
        world.settle();
        assertEquals(1, world.trusted().size());
        for (int myid = 1; myid <= SIZE; myid++) {
            Certified leaf = World.shown(myid, world.members);
            assertEquals(List.of("e-" + myid + ".svc", "ensemble://id/" + myid), leaf.names());
            assertEquals(world.trusted().getFirst().subject(), leaf.issuer());
            assertEquals(BEGIN.plus(Rotation.LEAF_LIFE), leaf.notAfter());
        }
        assertFalse(world.members.toString().contains("current.key"));
        int writes = world.told.size();
        world.settle();
        assertEquals(writes, world.told.size(), "nothing to do writes nothing");
    }

    @Test
    void certificatesAreRenewedLongBeforeTheyEnd() {
        World world = new World();
        world.settle();
        Certified first = World.shown(1, world.members);
        world.now = BEGIN.plus(Rotation.LEAF_LIFE).minus(Rotation.LEAF_LEFT);
        world.settle();
        assertEquals(first, World.shown(1, world.members));
        world.now = world.now.plusSeconds(1);
        world.settle();
        assertNotEquals(first, World.shown(1, world.members));
        assertEquals(1, world.trusted().size(), "by the same authority");
    }

    @Test
    void anAuthorityIsReplacedLongBeforeItEnds() {
        World world = new World();
        world.settle();
        Certified first = world.trusted().getFirst();
        world.now =
                BEGIN.plus(Rotation.AUTHORITY_LIFE).minus(Rotation.AUTHORITY_LEFT).plusSeconds(1);
        world.settle();
        assertEquals(1, world.trusted().size());
        assertNotEquals(first, world.trusted().getFirst());
    }

    @Test
    void eachStepWaitsForEveryMember() {
        World world = new World();
        world.settle();
        Certified first = world.trusted().getFirst();
        world.want = want("2026-02-01T00:00:00Z", Duration.ZERO);
        assertEquals("every member to trust the new authority of the certificates", world.pass(9));
        assertEquals(2, world.trusted().size());
        assertEquals(first.subject(), World.shown(1, world.members).issuer());
        world.load(1);
        world.load(2);
        world.pass(9);
        assertEquals(first.subject(), World.shown(1, world.members).issuer());

        world.load(3);
        assertEquals("every member to show a certificate of the new authority", world.pass(9));
        assertNotEquals(first.subject(), World.shown(1, world.members).issuer());
        assertEquals(2, world.trusted().size());
        world.load(1);
        world.loaded.remove(2); // It does not answer.
        world.load(3);
        world.pass(9);
        assertEquals(2, world.trusted().size());

        world.load(2);
        assertNull(world.pass(9));
        assertEquals(1, world.trusted().size());
        int writes = world.told.size();
        world.settle();
        assertEquals(writes, world.told.size(), "one wish is heard once");
    }

    @Test
    void clientsGetTimeToLearnOfTheNextAuthority() {
        World world = new World();
        world.settle();
        world.want = want("2026-02-01T00:00:00Z", Duration.ofHours(24));
        world.settle();
        assertEquals(
                "clients to learn of the new authority of the certificates, until"
                        + " 2026-01-02T00:00:00Z",
                world.pass(9));
        world.now = BEGIN.plus(Duration.ofHours(24));
        world.settle();
        assertEquals(1, world.trusted().size());
    }

    @Test
    void aLostAuthorityIsReplacedWhileItIsStillTrusted() {
        World world = new World();
        world.settle();
        Certified first = world.trusted().getFirst();
        world.authority = new TreeMap<>();
        world.pass(9);
        assertTrue(world.trusted().contains(first));
        assertEquals(first.subject(), World.shown(1, world.members).issuer());
        world.settle();
        assertEquals(1, world.trusted().size());
        assertFalse(world.trusted().contains(first));
    }

    @Test
    void lostCertificatesAreSignedAgain() {
        World world = new World();
        world.settle();
        world.members = new TreeMap<>();
        world.settle();
        assertEquals(1, world.trusted().size());
        assertEquals(SIZE + 1, world.members.size());
    }

    /// Members load when they like, the operator ends after any write, Secrets get lost one at a
    /// time: at any moment everybody trusts whom anybody shows, and in the end one authority is
    /// left.
    @Test
    void noHistoryBreaksALink() {
        for (int seed = 0; seed < 30; seed++) {
            Random random = new Random(seed);
            World world = new World();
            world.settle();
            for (int turn = 0; turn < 60; turn++) {
                switch (random.nextInt(12)) {
                    case 0 -> world.want = want("wish " + seed + "." + turn, Duration.ZERO);
                    case 1 -> world.now = world.now.plus(Duration.ofDays(random.nextInt(400)));
                    case 2 -> {
                        if (random.nextInt(4) == 0 && world.trusted().size() == 1) {
                            world.authority = new TreeMap<>();
                        }
                    }
                    case 3 -> world.loaded.remove(1 + random.nextInt(SIZE));
                    case 4, 5, 6, 7 -> world.pass(1 + random.nextInt(3));
                    default -> world.load(1 + random.nextInt(SIZE));
                }
            }
            world.settle();
            assertEquals(1, world.trusted().size(), "seed " + seed);
            assertEquals(new TreeSet<>(List.of(1, 2, 3)), world.loaded.keySet());
        }
    }
}
