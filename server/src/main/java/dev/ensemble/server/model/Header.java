package dev.ensemble.server.model;

/// What every transaction carries besides its content.
///
/// @param session the session that asked, 0 for none (a createSession, a configuration)
/// @param origin myid of the member whose client asked; 0 if the leader made it by itself
/// @param incarnation of the origin
/// @param sequence the origin's number of the request, never used twice: `starts << 40 | count`. By
///   it the origin finds its request in the log after a change of leader (`safety.md` 5)
/// @param timeMillis wall clock of the leader
public record Header(long session, int origin, long incarnation, long sequence, long timeMillis) {}
