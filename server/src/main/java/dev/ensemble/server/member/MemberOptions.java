package dev.ensemble.server.member;

/// What an operator may choose of how a member serves its clients.
///
/// @param localSessions new sessions are this member's alone, and no transaction
/// @param upgradesSessions a local session that creates an ephemeral becomes everybody's
/// @param readOnlyMode without a leader, this member serves those clients that read only
/// @param readOnlyAfterNanos how long it waits for one before
public record MemberOptions(
        Reaping reaping,
        boolean localSessions,
        boolean upgradesSessions,
        boolean readOnlyMode,
        long readOnlyAfterNanos) {
    /// As the original has them.
    public static final MemberOptions DEFAULT =
            new MemberOptions(Reaping.DEFAULT, false, false, false, 2_000_000_000L);
}
