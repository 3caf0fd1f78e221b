package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.TlsStage;
import dev.ensemble.operator.certificates.Maker;
import dev.ensemble.operator.certificates.Rotation;
import dev.ensemble.operator.desired.Wanted;
import dev.ensemble.operator.plan.Observed;
import dev.ensemble.operator.plan.Observed.Trouble;
import dev.ensemble.operator.plan.Step;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/// What one pass does about certificates: those that cert-manager issues, and those that the
/// operator's own authority signs.
final class Securing {
    private final Cluster cluster;
    private final Maker maker;
    private final Instant now;
    private final Consumer<String> signed;
    private Issuing.Outcome issued = Issuing.Outcome.ISSUED;

    /// Whether something was left undone for want of a certificate.
    private boolean missed;

    private @Nullable String rotation;

    /// @param signed is told what was signed, in words for people
    Securing(Cluster cluster, Maker maker, Instant now, Consumer<String> signed) {
        this.cluster = cluster;
        this.maker = maker;
        this.now = now;
        this.signed = signed;
    }

    /// Asks cert-manager for what the spec wants from it.
    void issue(Wanted wanted) {
        issued = Issuing.of(cluster, wanted);
    }

    /// {@return whether all that cert-manager was asked for is there}
    boolean issued() {
        return issued.waiting() == null;
    }

    /// {@return to do nothing until it is}
    Step waitForIssue() {
        missed = true;
        return new Step.Wait(List.of(Objects.requireNonNull(issued.waiting())));
    }

    /// {@return why nobody will issue what is needed; null if somebody will, or it is not}
    @Nullable Trouble trouble(Observed.Tls tls) {
        return missed || !tls.is().equals(tls.target()) ? issued.trouble() : null;
    }

    /// Has the authority sign what members at this stage need.
    ///
    /// @throws Cluster.NotOurs if a Secret of that name is somebody else's
    Keys.Outcome sign(Wanted wanted, TlsStage stage, Rotation.Loaded loaded) {
        Keys.Outcome outcome = new Keys(cluster, maker, wanted, now).next(stage, loaded);
        if (outcome.done() != null) {
            signed.accept(outcome.done());
        }
        return outcome;
    }

    /// The same for members that run. A step of the authority's rotation restarts nobody, so it may
    /// go on beside anything but a restart, whose member could not say what it has loaded.
    ///
    /// @param step that the pass takes
    /// @return the same, or a wait for what was signed
    Step renew(Wanted wanted, Observed seen, Step step) {
        if (step instanceof Step.Restart || step instanceof Step.MoveTls) {
            return step;
        }
        Keys.Outcome outcome = sign(wanted, wanted.security().stage(), Keys.loaded(seen));
        rotation = outcome.waiting();
        if (!(step instanceof Step.Nothing)) {
            return step;
        }
        if (outcome.done() != null) {
            return new Step.Wait(List.of("what was just signed to take effect"));
        }
        return rotation != null && outcome.onMembers() ? new Step.Wait(List.of(rotation)) : step;
    }

    /// {@return what the next step of the authority's rotation waits for; null if none is under
    /// way}
    @Nullable String rotation() {
        return rotation;
    }
}
