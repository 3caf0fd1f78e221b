package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.desired.IssuedCertificate;
import dev.ensemble.operator.desired.Wanted;
import dev.ensemble.operator.plan.Observed.Trouble;
import dev.ensemble.operator.plan.Reason;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;

import org.jspecify.annotations.Nullable;

/// Asks cert-manager for the certificates that the spec wants from it.
final class Issuing {
    private Issuing() {}

    /// What came of it.
    ///
    /// @param waiting what is to be waited for before members can use all of them; null if nothing
    /// @param trouble why that cannot end by itself; null if it can
    record Outcome(@Nullable String waiting, @Nullable Trouble trouble) {
        static final Outcome ISSUED = new Outcome(null, null);
    }

    static Outcome of(Cluster cluster, Wanted wanted) {
        for (GenericKubernetesResource each : IssuedCertificate.of(wanted)) {
            String name = each.getMetadata().getName();
            Outcome outcome;
            try {
                outcome =
                        switch (cluster.issue(each)) {
                            case Cluster.Issue.Done _ -> Outcome.ISSUED;
                            case Cluster.Issue.Under(String why) ->
                                    new Outcome(
                                            "Certificate %s to be issued: %s".formatted(name, why),
                                            null);
                            case Cluster.Issue.Impossible _ ->
                                    hindered(
                                            Reason.CertManagerMissing,
                                            "spec.tls asks for an issuerRef, and the API server"
                                                    + " knows no %s of %s: install cert-manager, or"
                                                            .formatted(
                                                                    IssuedCertificate.KIND,
                                                                    IssuedCertificate.VERSION)
                                                    + " take issuerRef out");
                        };
            } catch (Cluster.NotOurs e) {
                outcome = hindered(Reason.ApiError, String.valueOf(e.getMessage()));
            }
            if (outcome.waiting() != null) {
                return outcome;
            }
        }
        return Outcome.ISSUED;
    }

    private static Outcome hindered(Reason reason, String message) {
        return new Outcome(message, new Trouble(reason, message));
    }
}
