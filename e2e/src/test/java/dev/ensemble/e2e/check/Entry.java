package dev.ensemble.e2e.check;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

/// One thing that a client of the fleet saw or did; a line of JSON in the history.
///
/// Times are milliseconds since the fleet began. Session ids and zxids are hexadecimal text, since
/// JSON numbers lose bits above 2^53.
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({
    @JsonSubTypes.Type(value = Entry.Connection.class, name = "connection"),
    @JsonSubTypes.Type(value = Entry.Acked.class, name = "acked"),
    @JsonSubTypes.Type(value = Entry.Failed.class, name = "failed"),
    @JsonSubTypes.Type(value = Entry.Settled.class, name = "settled"),
    @JsonSubTypes.Type(value = Entry.Created.class, name = "created"),
    @JsonSubTypes.Type(value = Entry.Armed.class, name = "armed"),
    @JsonSubTypes.Type(value = Entry.Fired.class, name = "fired"),
    @JsonSubTypes.Type(value = Entry.Ephemeral.class, name = "ephemeral"),
    @JsonSubTypes.Type(value = Entry.Stopping.class, name = "stopping"),
    @JsonSubTypes.Type(value = Entry.Final.class, name = "final"),
    @JsonSubTypes.Type(value = Entry.Finished.class, name = "finished"),
})
public sealed interface Entry {
    /// {@return when it was, in milliseconds since the fleet began}
    long at();

    /// {@return the client's number}
    int client();

    /// A change of the connection's state, with the session that the client has then.
    record Connection(long at, int client, String state, String session) implements Entry {}

    /// A write of `number` to the client's own znode was acknowledged with this version.
    record Acked(long at, int client, long number, int version, long millis) implements Entry {}

    /// A request was answered with an error, or not at all.
    ///
    /// @param request what was asked, such as `write` or `watch`
    record Failed(long at, int client, String request, String code, long millis) implements Entry {}

    /// What a client found when it looked after a write whose outcome it did not know.
    record Settled(long at, int client, long number, int version) implements Entry {}

    /// The creation of a znode that stays was acknowledged.
    record Created(long at, int client, String path) implements Entry {}

    /// A watch was set, by a read that showed this version of the path.
    ///
    /// @param watch number of the watch, of this client
    record Armed(long at, int client, long watch, String path, int version) implements Entry {}

    /// A watch fired.
    record Fired(long at, int client, long watch, String type) implements Entry {}

    /// The client's ephemeral, as it was when the client had created it.
    record Ephemeral(long at, int client, String path, String owner, String czxid)
            implements Entry {}

    /// The client makes no more requests but those that look at what is there.
    record Stopping(long at, int client) implements Entry {}

    /// What is there at the end, read by a client of its own after a `sync`.
    ///
    /// @param data the content; the number that was written last, for a client's own znode
    /// @param owner session that owns it, `0x0` for a znode that stays
    record Final(
            long at, int client, String path, String data, int version, String owner, String czxid)
            implements Entry {}

    /// The last entry: the history is whole.
    record Finished(long at, int client) implements Entry {}
}
