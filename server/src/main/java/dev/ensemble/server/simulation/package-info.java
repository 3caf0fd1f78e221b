/// Whole ensembles in one thread: the real [dev.ensemble.server.member.Member] on fake disks, a
/// fake network and a fake clock, under faults, with the safety rules checked after every event.
///
/// Pure like the core: one seed makes one run, so a failure can be brought back. Imports `model`,
/// `zab`, `tree`, `session` and `member`. Start with [Simulation]; [Rules] is what must hold,
/// [Faults] what goes wrong, [Sabotage] the proof that the rules can fail.
@NullMarked
package dev.ensemble.server.simulation;

import org.jspecify.annotations.NullMarked;
