/// The server: one process for each member of an ensemble. Its packages, from the inside out:
/// `model`, then the pure `zab`, `tree`, `session` and `member`, then `wire`, `store`, `auth`,
/// `tls` and `net`, which do I/O, then `node`, which wires it all, and `tool`, what people run.
/// `LayoutTest` holds which of them may import which.
@NullMarked
package dev.ensemble.server;

import org.jspecify.annotations.NullMarked;
