/// The only place that talks to the API server: observes, lets `plan` decide, does one thing,
/// reports it. May import `api`, `desired`, `plan` and `ensemble`. Start at [EnsembleReconciler].
@NullMarked
package dev.ensemble.operator.reconcile;

import org.jspecify.annotations.NullMarked;
