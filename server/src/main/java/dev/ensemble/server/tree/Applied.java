package dev.ensemble.server.tree;

import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Result;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.WatchEvent;

import java.util.List;

/// One transaction, applied: the version of the tree that it made and all that anybody wants to
/// know of it.
///
/// Immutable; any thread may hold it.
///
/// @param tree as of this transaction
/// @param events in the order in which watches see them
public record Applied(
        long zxid, Header header, Txn txn, Tree tree, List<WatchEvent> events, Result result) {}
