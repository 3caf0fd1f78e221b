/// The Kubernetes operator, and the embedded ensemble of `ensemble up`: observe everything, decide
/// one step with a pure function, do it, report it. `LayoutTest` holds which package may import
/// which; start reading at `plan`.
@NullMarked
package dev.ensemble.operator;

import org.jspecify.annotations.NullMarked;
