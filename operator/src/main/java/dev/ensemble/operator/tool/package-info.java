/// `Main` and what people run: the operator itself, and the commands that start and look at
/// ensembles. May import everything. Start at `Main`.
@NullMarked
package dev.ensemble.operator.tool;

import org.jspecify.annotations.NullMarked;
