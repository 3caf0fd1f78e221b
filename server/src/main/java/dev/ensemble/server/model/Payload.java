package dev.ensemble.server.model;

/// A transaction as it is proposed, sent and stored: encoded once, on the leader, and from then on
/// those bytes.
///
/// @param bytes of `header` and `txn` together, never changed by anyone
public record Payload(Header header, Txn txn, byte[] bytes) {
    /// How payloads become bytes. A port: the store implements it.
    public interface Codec {
        /// {@return the payload with its bytes}
        Payload encode(Header header, Txn txn);

        /// {@return what `bytes` stand for}
        ///
        /// @throws IllegalArgumentException if they are no transaction
        Payload decode(byte[] bytes);
    }
}
