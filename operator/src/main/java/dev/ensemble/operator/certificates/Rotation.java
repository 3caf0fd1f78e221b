package dev.ensemble.operator.certificates;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/// Decides which keys and certificates there should be next. Pure but for the keys themselves: what
/// was done before is in the Secrets, and what the members have loaded they say.
///
/// An authority is replaced in three steps, and each waits until every member has loaded the one
/// before: the next one is trusted beside the current one; it signs, and everybody gets another
/// certificate; the previous one is trusted no more. So at any moment each member trusts whom
/// another one shows, whichever of the two has loaded the newest files.
public final class Rotation {
    static final Duration AUTHORITY_LIFE = Duration.ofDays(5 * 365L);

    /// An authority is replaced when it has so much left.
    static final Duration AUTHORITY_LEFT = Duration.ofDays(365);

    static final Duration LEAF_LIFE = Duration.ofDays(90);

    /// A certificate is renewed when it has so much left.
    static final Duration LEAF_LEFT = Duration.ofDays(30);

    private final Maker maker;
    private final Want want;
    private final Instant now;
    private boolean passing;

    /// What there should be.
    ///
    /// @param name of the ensemble, for the authority's name
    /// @param leaves alternative names of each certificate, sorted, by the name of its file
    /// @param rotatedAt another value than the last one asks for another authority; empty for none
    /// @param overlap how long clients, which tell nobody whom they trust, get to learn of the next
    ///   authority before it signs
    public record Want(
            String name, Map<String, List<String>> leaves, String rotatedAt, Duration overlap) {}

    /// What the members say that they have loaded.
    ///
    /// @param all whether all of them have said so that run or should run
    /// @param shown fingerprints of certificates in use, each by one member for one purpose
    /// @param trusted of each member, the fingerprints of the authorities that it trusts
    public record Loaded(boolean all, List<String> shown, List<Set<String>> trusted) {
        /// Nothing is known.
        public static final Loaded UNKNOWN = new Loaded(false, List.of(), List.of());
    }

    /// What comes next.
    ///
    /// @param done what changes, in words for people; null if nothing does
    /// @param waiting what must become true before the next step; null if nothing is under way
    /// @param onMembers whether that is the members' to do, and not just a time to pass
    public record Next(
            Keyring keyring, @Nullable String done, @Nullable String waiting, boolean onMembers) {}

    private Rotation(Maker maker, Want want, Instant now) {
        this.maker = maker;
        this.want = want;
        this.now = now;
    }

    /// {@return what comes next}
    public static Next next(Maker maker, Keyring is, Want want, Loaded loaded, Instant now) {
        return new Rotation(maker, want, now).next(is, loaded);
    }

    private Next next(Keyring is, Loaded loaded) {
        List<String> done = new ArrayList<>();
        String[] waiting = {null};
        Keyring turned = turn(is, loaded, done, waiting);
        Keyring signed = sign(turned, done);
        Keyring full =
                new Keyring(
                        signed.current(),
                        signed.currentKey(),
                        signed.next(),
                        signed.previous(),
                        signed.rotatedAt(),
                        signed.trusted(),
                        signed.leaves());
        String told =
                done.isEmpty()
                        ? full.equals(is) ? null : "Restored the files of the certificates"
                        : String.join("; ", done);
        return new Next(full, told, waiting[0], waiting[0] != null && !passing);
    }

    private Keyring turn(Keyring is, Loaded loaded, List<String> done, String[] waiting) {
        if (is.current() == null) {
            Maker.Pair made = maker.authority(want.name(), now, AUTHORITY_LIFE);
            done.add("Made an authority for certificates");
            List<String> trusted = split(is.bundle());
            return trusted.isEmpty()
                    ? with(is, made.certificate(), made.key(), null, "", want.rotatedAt())
                    // The key is lost with the authority's Secret, but the members still trust it.
                    : with(
                            is,
                            trusted.getFirst(),
                            null,
                            made,
                            String.join("", trusted.subList(1, trusted.size())),
                            want.rotatedAt());
        }
        Maker.Pair next = is.next();
        if (next != null) {
            String missing = notTrusted(next, loaded);
            if (missing != null) {
                waiting[0] = missing;
                return is;
            }
            done.add("The new authority signs from here on, since every member trusts it");
            return with(
                    is,
                    next.certificate(),
                    next.key(),
                    null,
                    is.current() + is.previous(),
                    is.rotatedAt());
        }
        if (!is.previous().isEmpty()) {
            String missing = notShown(is, loaded);
            if (missing != null) {
                waiting[0] = missing;
                return is;
            }
            done.add("The old authority is trusted no more, since no member needs it");
            return with(is, is.current(), is.currentKey(), null, "", is.rotatedAt());
        }
        boolean asked = !want.rotatedAt().isEmpty() && !want.rotatedAt().equals(is.rotatedAt());
        if (asked || is.currentKey() == null || ends(is.current(), AUTHORITY_LEFT)) {
            done.add("Made another authority, to be trusted beside the one that signs");
            Maker.Pair made = maker.authority(want.name(), now, AUTHORITY_LIFE);
            return with(is, is.current(), is.currentKey(), made, "", want.rotatedAt());
        }
        return is;
    }

    private @Nullable String notTrusted(Maker.Pair next, Loaded loaded) {
        Certified certified = Certified.all(next.certificate()).getFirst();
        if (!loaded.all()
                || !loaded.trusted().stream()
                        .allMatch(each -> each.contains(certified.fingerprint()))) {
            return "every member to trust the new authority of the certificates";
        }
        Instant until = certified.notBefore().plus(Maker.SKEW).plus(want.overlap());
        passing = now.isBefore(until);
        return passing
                ? "clients to learn of the new authority of the certificates, until " + until
                : null;
    }

    private @Nullable String notShown(Keyring is, Loaded loaded) {
        List<String> signed =
                is.leaves().values().stream()
                        .flatMap(each -> Certified.all(each).stream().limit(1))
                        .map(Certified::fingerprint)
                        .toList();
        boolean all = loaded.all() && signed.containsAll(loaded.shown());
        return all && sign(is, new ArrayList<>()).leaves().equals(is.leaves())
                ? null
                : "every member to show a certificate of the new authority";
    }

    private static Keyring with(
            Keyring is,
            @Nullable String current,
            @Nullable String key,
            Maker.@Nullable Pair next,
            String previous,
            String rotatedAt) {
        return new Keyring(current, key, next, previous, rotatedAt, is.bundle(), is.leaves());
    }

    private Keyring sign(Keyring is, List<String> done) {
        Maker.Pair signer = is.signer();
        if (signer == null) {
            return is;
        }
        Map<String, String> leaves = new TreeMap<>();
        List<String> renewed = new ArrayList<>();
        want.leaves()
                .forEach((file, names) -> {
                    String there = is.leaves().get(file);
                    if (there != null && good(there, signer, names)) {
                        leaves.put(file, there);
                    } else {
                        Maker.Pair made =
                                maker.leaf(signer, want.name() + " " + file, names, now, LEAF_LIFE);
                        leaves.put(file, made.key() + made.certificate());
                        renewed.add(file);
                    }
                });
        if (!renewed.isEmpty()) {
            done.add("Signed " + String.join(", ", renewed));
        }
        return new Keyring(
                is.current(),
                is.currentKey(),
                is.next(),
                is.previous(),
                is.rotatedAt(),
                is.bundle(),
                leaves);
    }

    private boolean good(String leaf, Maker.Pair signer, List<String> names) {
        List<Certified> there = Certified.all(leaf);
        String by = Certified.all(signer.certificate()).getFirst().subject();
        return !there.isEmpty()
                && Objects.equals(there.getFirst().issuer(), by)
                && there.getFirst().names().equals(names)
                && !ends(leaf, LEAF_LEFT);
    }

    private boolean ends(String pem, Duration left) {
        return Certified.all(pem).stream()
                .limit(1)
                .anyMatch(each -> now.isAfter(each.notAfter().minus(left)));
    }

    /// {@return the certificates of a bundle, each as it stands there}
    private static List<String> split(String bundle) {
        List<String> each = new ArrayList<>();
        for (String part : bundle.split("(?=-----BEGIN CERTIFICATE-----)", -1)) {
            if (part.startsWith("-----BEGIN CERTIFICATE-----")) {
                each.add(part);
            }
        }
        return each;
    }
}
