/// A member as a whole: its configuration, the wiring of its parts and what it tells about itself.
/// May import every other package but `tool`.
@NullMarked
package dev.ensemble.server.node;

import org.jspecify.annotations.NullMarked;
