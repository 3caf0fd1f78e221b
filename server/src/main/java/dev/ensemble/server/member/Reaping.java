package dev.ensemble.server.member;

/// When containers and TTL nodes are removed (`znode.container.*`).
///
/// @param checkMillis how often the leader looks
/// @param perMinute how many it removes at most
/// @param neverUsedMillis how long a container may wait for its first child; 0: for ever
public record Reaping(int checkMillis, int perMinute, long neverUsedMillis) {
    /// As the original has them.
    public static final Reaping DEFAULT = new Reaping(60_000, 10_000, 0);
}
