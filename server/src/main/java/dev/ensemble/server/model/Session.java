package dev.ensemble.server.model;

/// A client's lease, as every member knows it: part of the replicated state.
///
/// @param timeoutMillis as negotiated at the last attach
/// @param password 16 bytes, never changed by anyone
/// @param owner myid of the member whose connection speaks for it
/// @param attach zxid of the transaction that gave it to that connection; a request with another
///   one is of a connection that no longer owns the session
public record Session(long id, int timeoutMillis, byte[] password, int owner, long attach) {
    public static final int PASSWORD_BYTES = 16;

    /// The attach number of a session that was made by one member alone, for as long as no other
    /// connection than that member's takes it over.
    public static final long LOCAL_ATTACH = 0;

    private static final long LOCAL = 1L << 55;

    /// {@return the id of the session that a createSession makes (`safety.md` 15)}
    ///
    /// @param myid of the member that the client is connected to
    /// @param zxid of the createSession
    public static long id(int myid, long zxid) {
        return ((long) myid << 56) | ((Zxid.epoch(zxid) & 0x7f_ffffL) << 32) | Zxid.counter(zxid);
    }

    /// {@return the id of a session that one member makes alone; never one of the others}
    ///
    /// @param starts how often the member has started
    /// @param count never the same in one start
    public static long localId(int myid, long starts, long count) {
        return ((long) myid << 56) | LOCAL | ((starts & 0x7f_ffffL) << 32) | (count & 0xffff_ffffL);
    }

    /// {@return whether the session was made by one member alone; it may be everybody's by now}
    public static boolean isLocal(long id) {
        return (id & LOCAL) != 0;
    }
}
