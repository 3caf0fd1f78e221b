package dev.ensemble.server.tree;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Session;

import org.jspecify.annotations.Nullable;

import java.util.List;

/// One piece of a stored state, or of the difference between two versions: what the store writes
/// and what SNAP carries.
public sealed interface StateChange {
    /// A znode as it is now, all that is needed to make it again besides its children.
    ///
    /// @param owner as stored: session, 0, or the encoding of a container or TTL node
    /// @param created how many children were ever created below it
    record PutNode(
            String path,
            byte @Nullable [] data,
            List<Acl> acl,
            long czxid,
            long mzxid,
            long pzxid,
            long ctime,
            long mtime,
            int version,
            int aversion,
            int created,
            long owner)
            implements StateChange {}

    record RemoveNode(String path) implements StateChange {}

    record PutSession(Session session) implements StateChange {}

    record RemoveSession(long id) implements StateChange {}

    record PutEnsemble(Ensemble ensemble) implements StateChange {}

    /// The version that these changes lead to; last of all.
    record At(long zxid) implements StateChange {}
}
