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

    /// {@return the id of the session that a createSession makes (`safety.md` 15)}
    ///
    /// @param myid of the member that the client is connected to
    /// @param zxid of the createSession
    public static long id(int myid, long zxid) {
        return ((long) myid << 56) | ((Zxid.epoch(zxid) & 0xff_ffffL) << 32) | Zxid.counter(zxid);
    }
}
