/// Certificates that the operator makes itself: the authority of an ensemble, what it signs, and
/// when each is replaced. Start reading at [Rotation]. Imports nothing of the other packages.
@NullMarked
package dev.ensemble.operator.certificates;

import org.jspecify.annotations.NullMarked;
