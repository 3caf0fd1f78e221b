/// The pure whole of one member: replication, sessions, preparation of writes and both trees,
/// without a thread or a socket.
///
/// What `node` runs on the peer thread and what the simulation runs by the dozen is the same class,
/// [Member]. Imports `model`, `zab`, `tree` and `session`. Start with [Member]; [Input] is all that
/// can happen to it, [Output] all that it asks for.
@NullMarked
package dev.ensemble.server.member;

import org.jspecify.annotations.NullMarked;
