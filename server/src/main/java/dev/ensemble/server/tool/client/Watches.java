package dev.ensemble.server.tool.client;

import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.WatchEvent;

import java.util.List;
import java.util.TreeSet;

/// The watches that are set on a server, so that they can be set on the next one. Not thread-safe.
final class Watches {
    /// Types of removeWatches; there are others, for all of them together.
    private static final int CHILDREN = 1;

    private static final int DATA = 2;

    private final TreeSet<String> data = new TreeSet<>();
    private final TreeSet<String> exist = new TreeSet<>();
    private final TreeSet<String> child = new TreeSet<>();
    private final TreeSet<String> persistent = new TreeSet<>();
    private final TreeSet<String> recursive = new TreeSet<>();

    /// Remembers the watch that an answered request has set.
    void answered(Request request, Answer answer) {
        switch (request) {
            case Request.GetData(String path, boolean watch) when watch && answer.ok() ->
                    data.add(path);
            case Request.Exists(String path, boolean watch) when watch && answer.ok() ->
                    data.add(path);
            case Request.Exists(String path, boolean watch) when watch && answer.is(Code.NO_NODE) ->
                    exist.add(path);
            case Request.GetChildren(String path, boolean watch, boolean _)
                    when watch && answer.ok() ->
                    child.add(path);
            case Request.AddWatch(String path, int mode) when answer.ok() ->
                    (mode == 0 ? persistent : recursive).add(path);
            case Request.RemoveWatches(String path, int type) when answer.ok() ->
                    removed(path, type);
            default -> {}
        }
    }

    private void removed(String path, int type) {
        if (type != DATA) {
            child.remove(path);
        }
        if (type != CHILDREN) {
            data.remove(path);
            exist.remove(path);
        }
        if (type != CHILDREN && type != DATA) {
            persistent.remove(path);
            recursive.remove(path);
        }
    }

    /// Forgets what an event has used up.
    void fired(int type, String path) {
        if (type == WatchEvent.Type.NODE_CHILDREN_CHANGED.number()) {
            child.remove(path);
            return;
        }
        data.remove(path);
        exist.remove(path);
        if (type == WatchEvent.Type.NODE_DELETED.number()) {
            child.remove(path);
        }
    }

    boolean isEmpty() {
        return data.isEmpty()
                && exist.isEmpty()
                && child.isEmpty()
                && persistent.isEmpty()
                && recursive.isEmpty();
    }

    /// {@return the request that sets them all}
    ///
    /// @param lastZxid what the client has seen: what changed since fires at once
    Request.SetWatches request(long lastZxid) {
        boolean all = !persistent.isEmpty() || !recursive.isEmpty();
        return new Request.SetWatches(
                lastZxid,
                List.copyOf(data),
                List.copyOf(exist),
                List.copyOf(child),
                all ? List.copyOf(persistent) : null,
                all ? List.copyOf(recursive) : null);
    }
}
