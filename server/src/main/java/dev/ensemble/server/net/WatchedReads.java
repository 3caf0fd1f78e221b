package dev.ensemble.server.net;

import dev.ensemble.server.model.AclRules;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.session.Watches;
import dev.ensemble.server.tree.Reads;
import dev.ensemble.server.tree.Tree;

import java.util.List;

/// Answers reads and sets the watches that they ask for (`client-protocol` section 7).
///
/// Owned by one I/O thread, like its watches.
final class WatchedReads {
    /// What setWatches finds has no transaction.
    private static final long NO_ZXID = -1;

    private final Reads reads;
    private final Watches<ClientConnection> watches;

    WatchedReads(AclRules rules, Watches<ClientConnection> watches) {
        this.reads = new Reads(rules);
        this.watches = watches;
    }

    Reply answer(ClientConnection connection, Request.Read read, Tree tree, List<Id> identities) {
        return switch (read) {
            case Request.SetWatches set -> {
                watches.reset(
                        set,
                        connection,
                        tree::stat,
                        (type, path) -> connection.tell(NO_ZXID, type, path));
                yield new Reply.None();
            }
            case Request.AddWatch add -> {
                Code code = watches.add(add, connection);
                yield code == Code.OK ? new Reply.Watching() : new Reply.Failed(code);
            }
            case Request.RemoveWatches remove -> reply(watches.remove(remove, connection));
            case Request.CheckWatches check -> reply(watches.check(check, connection));
            default -> {
                Reply reply = reads.read(read, tree, connection.session(), identities);
                watch(connection, read, reply);
                yield reply;
            }
        };
    }

    private static Reply reply(Code code) {
        return code == Code.OK ? new Reply.None() : new Reply.Failed(code);
    }

    /// A watch on a znode that is not there is set by exists alone; none without permission.
    private void watch(ClientConnection connection, Request.Read read, Reply reply) {
        boolean good = !(reply instanceof Reply.Failed);
        switch (read) {
            case Request.Exists(var path, boolean watch)
                    when watch && path != null && (good || isMissing(reply)) ->
                    watches.addData(path, connection);
            case Request.GetData(var path, boolean watch) when watch && path != null && good ->
                    watches.addData(path, connection);
            case Request.GetChildren(var path, boolean watch, boolean _)
                    when watch && path != null && good ->
                    watches.addChild(path, connection);
            default -> {}
        }
    }

    private static boolean isMissing(Reply reply) {
        return reply instanceof Reply.Failed(Code code) && code == Code.NO_NODE;
    }
}
