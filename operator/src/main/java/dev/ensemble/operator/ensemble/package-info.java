/// What we ask a running server: its `GET /v1/status`. A member that does not answer is unknown,
/// and unknown is never "no". May import `api`. Start at [EnsembleClient].
@NullMarked
package dev.ensemble.operator.ensemble;

import org.jspecify.annotations.NullMarked;
