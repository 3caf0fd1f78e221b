/// Who is still there, and who waits for what: session expiry on the leader, and the watches of
/// connections.
///
/// Pure, and imports `model` only. Start with [Sessions] (expiry) and [Watches] (one for each I/O
/// thread).
@NullMarked
package dev.ensemble.server.session;

import org.jspecify.annotations.NullMarked;
