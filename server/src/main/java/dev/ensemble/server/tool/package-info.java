/// What people run: `Main`, and one class for each of its commands. May import everything. Start at
/// `Main`.
@NullMarked
package dev.ensemble.server.tool;

import org.jspecify.annotations.NullMarked;
