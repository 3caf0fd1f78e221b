package dev.ensemble.server.tool.client;

import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.WatchEvent;

import java.util.List;
import java.util.TreeSet;

/// The watches that are set on a server, so that they can be set on the next one. Not thread-safe.
final class Watches {
    private final TreeSet<String> data = new TreeSet<>();
    private final TreeSet<String> exist = new TreeSet<>();
    private final TreeSet<String> child = new TreeSet<>();

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
            default -> {}
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
        return data.isEmpty() && exist.isEmpty() && child.isEmpty();
    }

    /// {@return the request that sets them all}
    ///
    /// @param lastZxid what the client has seen: what changed since fires at once
    Request.SetWatches request(long lastZxid) {
        return new Request.SetWatches(
                lastZxid, List.copyOf(data), List.copyOf(exist), List.copyOf(child), null, null);
    }
}
