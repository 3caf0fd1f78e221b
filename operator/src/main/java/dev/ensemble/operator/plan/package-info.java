/// Pure decisions: from what was observed to one step, and to the status that tells about it. No
/// clock, no client; so every decision has a table test, and a simulation runs whole histories. May
/// import `api`. Start at [Observed] and [RollPlan].
@NullMarked
package dev.ensemble.operator.plan;

import org.jspecify.annotations.NullMarked;
