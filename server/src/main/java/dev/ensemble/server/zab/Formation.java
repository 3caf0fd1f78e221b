package dev.ensemble.server.zab;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Identity;

import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.Map;

/// How blank members become an ensemble, exactly once (`safety.md` 7).
///
/// A blank member forms when it has seen every declared voter blank or forming, with the same
/// bootstrap record, since it started. A member is MEMBER on disk before it promises its first
/// epoch, and a leader before it asks for promises: so whoever comes back blank after it has
/// promised finds a MEMBER among the others, and learns instead.
final class Formation {
    private final Local local;

    /// What each linked member's disk is, as it said last.
    private final Map<Integer, Identity.State> states = new HashMap<>();

    /// The record that each linked member holds, as it said last: who formed the ensemble.
    private final Map<Integer, Map<Integer, Long>> records = new HashMap<>();

    Formation(Local local) {
        this.local = local;
    }

    void linkUp(int from, Hello hello) {
        states.put(from, hello.state());
    }

    void linkDown(int from) {
        states.remove(from);
        records.remove(from);
    }

    void said(int from, Message.Notification notification) {
        states.put(from, notification.identity());
        records.put(from, notification.seen());
    }

    /// {@return who formed the ensemble, as that member knows; empty if it does not}
    Map<Integer, Long> record(int member) {
        return records.getOrDefault(member, Map.of());
    }

    /// Writes the FORMING record once all is as it must be. {@return whether it did so now}
    boolean tryToForm() {
        Identity own = local.identity;
        if (own.state() == Identity.State.MEMBER
                || local.configuration().version() != 0
                || !local.config.declared().voters().contains(local.myid())) {
            return false;
        }
        Map<Integer, Long> seen =
                switch (local.config.bootstrap()) {
                    case BOOTSTRAPPED -> null;
                    case MAJORITY -> Map.of();
                    case UNANIMOUS -> seen();
                };
        if (seen == null || (own.state() == Identity.State.FORMING && own.voters().equals(seen))) {
            return false;
        }
        local.storeIdentity(own.in(Identity.State.FORMING, own.ensembleId(), seen));
        return true;
    }

    /// {@return the incarnation of every declared voter, or null if one has not been seen or is no
    /// candidate}
    private @Nullable Map<Integer, Long> seen() {
        if (states.containsValue(Identity.State.MEMBER)) {
            return null;
        }
        var seen = new HashMap<Integer, Long>();
        for (int voter : local.config.declared().voters()) {
            if (voter == local.myid()) {
                seen.put(voter, local.identity.incarnation());
                continue;
            }
            Hello hello = local.links.get(voter);
            if (hello == null || !hello.bootstrapRecord().equals(local.config.bootstrapRecord())) {
                return null;
            }
            seen.put(voter, hello.incarnation());
        }
        return seen;
    }

    /// {@return the id of the ensemble that this member founds as its first leader}
    String newEnsembleId() {
        if (!local.identity.ensembleId().isEmpty()) {
            return local.identity.ensembleId();
        }
        Ensemble declared = local.config.declared();
        if (!declared.id().isEmpty()) {
            return declared.id();
        }
        // Nobody gave a name: incarnations are random, so a mix of them is one that no other
        // ensemble has.
        long mix = local.identity.incarnation();
        for (long incarnation : local.identity.voters().values()) {
            mix = mix * 0x9E37_79B9_7F4A_7C15L + Long.rotateLeft(incarnation, 29);
        }
        return "%016x".formatted(mix);
    }
}
