/// ZAB: election, discovery, synchronisation and broadcast, as a state machine.
///
/// Pure: what happens goes in as an [Event], what must be done comes out as an [Effect], what
/// crosses the wire is a [Message]; no clock, thread, socket or file. Imports `model` only. Start
/// with [Peer]; the table of role and message is `server/docs/peer-protocol.md`.
@NullMarked
package dev.ensemble.server.zab;

import org.jspecify.annotations.NullMarked;
