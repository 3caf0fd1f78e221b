package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.Labels;
import dev.ensemble.operator.api.TlsStage;
import dev.ensemble.operator.certificates.Keyring;
import dev.ensemble.operator.certificates.Maker;
import dev.ensemble.operator.certificates.Rotation;
import dev.ensemble.operator.desired.Wanted;
import dev.ensemble.operator.plan.Observed;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Secret;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// Keeps the Secrets with the operator's own authority and with what it signs.
final class Keys {
    private final Cluster cluster;
    private final Maker maker;
    private final Wanted wanted;
    private final Instant now;

    /// What came of it.
    ///
    /// @param done what was changed, in words for people; null if nothing was
    /// @param waiting what the next step of a rotation waits for; null if none is under way
    /// @param onMembers whether that is the members' to do
    record Outcome(@Nullable String done, @Nullable String waiting, boolean onMembers) {
        static final Outcome NOTHING = new Outcome(null, null, false);
    }

    Keys(Cluster cluster, Maker maker, Wanted wanted, Instant now) {
        this.cluster = cluster;
        this.maker = maker;
        this.wanted = wanted;
        this.now = now;
    }

    /// Makes the Secrets what they should be, as far as that may be done now.
    ///
    /// The authority's Secret is written first, and what follows from it only once it has been read
    /// again: nobody is given what an authority has signed whose key is nowhere.
    ///
    /// @param stage where the members are, or will be
    /// @param loaded what they say that they have loaded
    /// @throws Cluster.NotOurs if a Secret of that name is somebody else's
    Outcome next(TlsStage stage, Rotation.Loaded loaded) {
        Map<String, List<String>> leaves = wanted.leaves(stage);
        if (leaves.isEmpty()) {
            return Outcome.NOTHING;
        }
        List<String> done = new ArrayList<>();
        EnsembleSpec.Authority asked =
                wanted.spec().tls() == null ? null : wanted.spec().tls().authority();
        Rotation.Want want =
                new Rotation.Want(
                        wanted.name() + "." + wanted.namespace(),
                        leaves,
                        asked == null || asked.rotatedAt() == null ? "" : asked.rotatedAt(),
                        stage.clients().ours()
                                ? Duration.ofSeconds(
                                        asked == null
                                                ? Duration.ofDays(1).toSeconds()
                                                : asked.overlapSeconds())
                                : Duration.ZERO);
        while (true) {
            Secret authority = secret(Labels.authority(wanted.name()));
            Secret members = secret(Labels.keys(wanted.name()));
            Rotation.Next next =
                    Rotation.next(
                            maker,
                            Keyring.of(entries(authority), entries(members)),
                            want,
                            loaded,
                            now);
            boolean again = !next.keyring().authority().equals(entries(authority));
            boolean sign = !again && !next.keyring().members().equals(entries(members));
            if ((again || sign) && next.done() != null) {
                done.add(next.done());
            }
            if (again
                    && !cluster.write(
                            wanted.secret(
                                    Labels.authority(wanted.name()), next.keyring().authority()),
                            authority)) {
                return new Outcome(null, "a fresh look at the authority's Secret", true);
            }
            if (again && done.size() <= 2) {
                continue;
            }
            if (sign) {
                cluster.write(
                        wanted.secret(Labels.keys(wanted.name()), next.keyring().members()),
                        members);
            }
            if (stage.clients().ours()) {
                ConfigMap trusted = wanted.trusted(next.keyring().bundle());
                if (cluster.apply(trusted, cluster.cached(trusted))) {
                    done.add("ConfigMap " + trusted.getMetadata().getName());
                }
            }
            return new Outcome(
                    done.isEmpty() ? null : String.join("; ", done),
                    next.waiting(),
                    next.onMembers());
        }
    }

    private @Nullable Secret secret(String name) {
        Secret there = cluster.secret(wanted.namespace(), name);
        if (there != null && !ours(there)) {
            throw new Cluster.NotOurs(there);
        }
        return there;
    }

    private boolean ours(Secret there) {
        return there.getMetadata().getOwnerReferences() != null
                && there.getMetadata().getOwnerReferences().stream()
                        .anyMatch(each -> each.getUid().equals(wanted.uid()));
    }

    private static Map<String, String> entries(@Nullable Secret secret) {
        Map<String, String> entries = new TreeMap<>();
        if (secret != null && secret.getData() != null) {
            secret.getData()
                    .forEach((key, value) ->
                            entries.put(
                                    key,
                                    new String(
                                            Base64.getDecoder().decode(value),
                                            StandardCharsets.UTF_8)));
        }
        return entries;
    }

    /// {@return what the members say that they have loaded of what the operator made}
    static Rotation.Loaded loaded(Observed seen) {
        TlsStage stage = seen.tls().is();
        boolean all = true;
        List<String> shown = new ArrayList<>();
        List<Set<String>> trusted = new ArrayList<>();
        for (Observed.Member member : seen.members()) {
            boolean runs = member.pod() != null;
            boolean should = seen.expected().contains(member) && !seen.wish().hibernate();
            if (!runs && !should) {
                continue;
            }
            Observed.Said said = member.said();
            if (stage.peers().ours()) {
                Observed.Shown links = said == null ? null : said.links();
                all &= links != null;
                if (links != null) {
                    shown.add(links.fingerprint());
                    trusted.add(new TreeSet<>(links.trusted()));
                }
            }
            if (stage.clients().ours()) {
                Observed.Shown clients = said == null ? null : said.clients();
                all &= clients != null;
                if (clients != null) {
                    shown.add(clients.fingerprint());
                }
            }
        }
        return new Rotation.Loaded(all, shown, trusted);
    }
}
