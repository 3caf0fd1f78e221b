package dev.ensemble.server.tree;

/// What the stored owner of a znode means (`client-protocol` section 17; `EphemeralType` in the
/// original).
///
/// A session's id begins with the id of a member, at most 254, so none looks like the owner of a
/// TTL node.
public final class Owner {
    /// Neither ephemeral nor a container nor limited in time.
    public static final long NONE = 0;

    public static final long CONTAINER = 0x8000_0000_0000_0000L;
    public static final long MAX_TTL_MILLIS = 0xff_ffff_ffffL;

    private static final long TTL = 0xff00_0000_0000_0000L;

    private Owner() {}

    /// {@return the owner of a TTL node}
    ///
    /// @param millis 1 to [#MAX_TTL_MILLIS]
    public static long ofTtl(long millis) {
        return TTL | millis;
    }

    public static boolean isTtl(long owner) {
        return (owner & TTL) == TTL;
    }

    public static long ttlMillis(long owner) {
        return owner & MAX_TTL_MILLIS;
    }

    /// {@return by what the tree lists the znodes of this owner: the session of an ephemeral, one
    /// number for all containers, one for all TTL nodes; [#NONE] if it does not list them}
    static long listedBy(long owner) {
        return isTtl(owner) ? TTL : owner;
    }

    /// {@return the number by which the tree lists TTL nodes}
    static long ttl() {
        return TTL;
    }

    /// {@return whether the znode is ephemeral, and `owner` its session}
    public static boolean isSession(long owner) {
        return owner != NONE && owner != CONTAINER && !isTtl(owner);
    }
}
