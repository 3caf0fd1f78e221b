package dev.ensemble.server.session;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Stat;
import dev.ensemble.server.model.WatchEvent;

import org.jspecify.annotations.Nullable;

import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import java.util.function.Function;

/// Who waits for changes of which paths: the watches of one I/O thread's connections
/// (`client-protocol` section 7).
///
/// Owned by that thread. Each watcher, a connection, has at each path any of four modes, as bits of
/// one number, so one change is one event to it however many of them match. A watcher is told apart
/// by `equals`; a connection's identity will do.
///
/// @param <W> a watcher
public final class Watches<W> {
    /// Of getData and exists; whether the znode was there makes no difference.
    private static final int DATA = 1;

    private static final int CHILD = 2;
    private static final int PERSISTENT = 4;
    private static final int RECURSIVE = 8;

    private static final int ONE_SHOT = DATA | CHILD;
    private static final int ANY = ONE_SHOT | PERSISTENT | RECURSIVE;

    private static final int NO_SUCH_TYPE = 0;

    /// By path, then by watcher: its modes, never 0.
    private final Map<String, Map<W, Integer>> byPath = new HashMap<>();

    /// The paths at which a watcher has any mode.
    private final Map<W, Set<String>> byWatcher = new HashMap<>();

    private int watches;
    private int persistent;
    private int recursive;

    /// Waits for one change of the znode itself: creation, new data or deletion.
    public void addData(String path, W watcher) {
        add(path, watcher, DATA);
    }

    /// Waits for one change among the znode's children, or its deletion.
    public void addChild(String path, W watcher) {
        add(path, watcher, CHILD);
    }

    /// {@return OK, and the watch is set; or MARSHALLINGERROR if there is no such mode}
    public Code add(Request.AddWatch request, W watcher) {
        if (request.mode() != 0 && request.mode() != 1) {
            return Code.MARSHALLING_ERROR;
        }
        // Nothing can happen to a path that is null.
        if (request.path() != null) {
            add(request.path(), watcher, request.mode() == 0 ? PERSISTENT : RECURSIVE);
        }
        return Code.OK;
    }

    /// Sets the watches that a client brings from an earlier connection, or tells it what it
    /// missed, and then does not set that watch.
    ///
    /// @param stats the Stat of a path, null if there is no such znode
    /// @param missed takes the events, in order
    public void reset(
            Request.SetWatches request,
            W watcher,
            Function<String, @Nullable Stat> stats,
            BiConsumer<WatchEvent.Type, String> missed) {
        long since = request.relativeZxid();
        for (String path : request.data()) {
            Stat stat = stats.apply(path);
            if (stat == null) {
                missed.accept(WatchEvent.Type.NODE_DELETED, path);
            } else if (stat.mzxid() > since) {
                missed.accept(WatchEvent.Type.NODE_DATA_CHANGED, path);
            } else {
                add(path, watcher, DATA);
            }
        }
        for (String path : request.exist()) {
            if (stats.apply(path) == null) {
                add(path, watcher, DATA);
            } else {
                missed.accept(WatchEvent.Type.NODE_CREATED, path);
            }
        }
        for (String path : request.child()) {
            Stat stat = stats.apply(path);
            if (stat == null) {
                missed.accept(WatchEvent.Type.NODE_DELETED, path);
            } else if (stat.pzxid() > since) {
                missed.accept(WatchEvent.Type.NODE_CHILDREN_CHANGED, path);
            } else {
                add(path, watcher, CHILD);
            }
        }
        addAll(request.persistent(), watcher, PERSISTENT);
        addAll(request.recursive(), watcher, RECURSIVE);
    }

    /// {@return OK if the watcher has such a watch; NOWATCHER; or MARSHALLINGERROR if there is no
    /// such type}
    public Code check(Request.CheckWatches request, W watcher) {
        return check(request.path(), modes(request.watchType()), watcher);
    }

    /// Removes a watcher's watches of one type at one path.
    ///
    /// {@return as [#check]}
    public Code remove(Request.RemoveWatches request, W watcher) {
        int modes = modes(request.watchType());
        Code code = check(request.path(), modes, watcher);
        if (code == Code.OK && request.path() != null) {
            remove(request.path(), watcher, modes);
        }
        return code;
    }

    /// Forgets a watcher. Takes as long as it has paths.
    public void removeAll(W watcher) {
        Set<String> paths = byWatcher.get(watcher);
        if (paths != null) {
            List.copyOf(paths).forEach(path -> remove(path, watcher, ANY));
        }
    }

    /// Hands over everybody whom a change concerns and who may know of it, each once. One-shot
    /// watches that the change matches are used up, also of those who may not know.
    ///
    /// @param mayRead whether the ACL, the event's, lets a watcher read
    /// @param out must not change these watches
    public void fire(WatchEvent event, BiPredicate<W, List<Acl>> mayRead, Consumer<W> out) {
        int modes = modes(event.type());
        Map<W, Integer> here = byPath.get(event.path());
        boolean climbs = (modes & RECURSIVE) != 0 && recursive > 0;
        if (here == null && !climbs) {
            return;
        }
        Set<W> matched = new LinkedHashSet<>();
        if (here != null) {
            collect(here, modes, matched);
        }
        if (climbs) {
            collectAbove(event.path(), matched);
        }
        for (W watcher : matched) {
            if (here != null) {
                remove(event.path(), watcher, modes & ONE_SHOT);
            }
            if (mayRead.test(watcher, event.acl())) {
                out.accept(watcher);
            }
        }
    }

    /// Hands over each watcher with each path at which it waits for anything but the children
    /// alone: what ZooKeeper's reports of watches show.
    public void forEachOfNode(BiConsumer<W, String> out) {
        byPath.forEach((path, watchers) ->
                watchers.forEach((watcher, has) -> {
                    if ((has & ~CHILD) != 0) {
                        out.accept(watcher, path);
                    }
                }));
    }

    /// {@return at how many paths anybody waits}
    public int pathCount() {
        return byPath.size();
    }

    /// {@return how many watches there are; the same one set twice is one}
    public int watchCount() {
        return watches;
    }

    /// {@return how many watches there are as ZooKeeper counts them: a persistent one is one of the
    /// znode and one of its children}
    public int reportedCount() {
        return watches + persistent;
    }

    /// {@return how many watchers have any watch}
    public int watcherCount() {
        return byWatcher.size();
    }

    private void collectAbove(String path, Set<W> matched) {
        String above = path;
        while (above.length() > 1) {
            int slash = above.lastIndexOf('/');
            above = slash <= 0 ? "/" : above.substring(0, slash);
            Map<W, Integer> there = byPath.get(above);
            if (there != null) {
                collect(there, RECURSIVE, matched);
            }
        }
    }

    private static <W> void collect(Map<W, Integer> watchers, int modes, Set<W> matched) {
        watchers.forEach((watcher, has) -> {
            if ((has & modes) != 0) {
                matched.add(watcher);
            }
        });
    }

    private void addAll(@Nullable List<String> paths, W watcher, int mode) {
        if (paths != null) {
            paths.forEach(path -> add(path, watcher, mode));
        }
    }

    private void add(String path, W watcher, int mode) {
        Map<W, Integer> there = byPath.get(path);
        int has = there == null ? 0 : there.getOrDefault(watcher, 0);
        if ((has & mode) == 0) {
            byPath.put(path, with(there, watcher, has | mode));
            byWatcher.computeIfAbsent(watcher, _ -> new LinkedHashSet<>()).add(path);
            watches++;
            persistent += mode == PERSISTENT ? 1 : 0;
            recursive += mode == RECURSIVE ? 1 : 0;
        }
    }

    private void remove(String path, W watcher, int modes) {
        Map<W, Integer> there = byPath.get(path);
        int has = there == null ? 0 : there.getOrDefault(watcher, 0);
        int gone = has & modes;
        if (there == null || gone == 0) {
            return;
        }
        watches -= Integer.bitCount(gone);
        persistent -= (gone & PERSISTENT) != 0 ? 1 : 0;
        recursive -= (gone & RECURSIVE) != 0 ? 1 : 0;
        if (has != gone) {
            byPath.put(path, with(there, watcher, has & ~gone));
            return;
        }
        if (there.size() == 1) {
            byPath.remove(path);
        } else {
            there.remove(watcher);
        }
        Set<String> paths = byWatcher.get(watcher);
        if (paths != null && paths.remove(path) && paths.isEmpty()) {
            byWatcher.remove(watcher);
        }
    }

    /// {@return the watchers of a path, to be kept}: most paths have one, which needs no table.
    private static <W> Map<W, Integer> with(
            @Nullable Map<W, Integer> watchers, W watcher, int modes) {
        if (watchers == null || (watchers.size() == 1 && watchers.containsKey(watcher))) {
            return Collections.singletonMap(watcher, modes);
        }
        Map<W, Integer> table =
                watchers instanceof LinkedHashMap ? watchers : new LinkedHashMap<>(watchers);
        table.put(watcher, modes);
        return table;
    }

    private Code check(@Nullable String path, int modes, W watcher) {
        if (modes == NO_SUCH_TYPE) {
            return Code.MARSHALLING_ERROR;
        }
        Map<W, Integer> there = path == null ? null : byPath.get(path);
        return there != null && (there.getOrDefault(watcher, 0) & modes) != 0
                ? Code.OK
                : Code.NO_WATCHER;
    }

    /// {@return the modes of a type of removeWatches and checkWatches}
    private static int modes(int watchType) {
        return switch (watchType) {
            case 1 -> CHILD;
            case 2 -> DATA;
            case 3 -> ANY;
            case 4 -> PERSISTENT;
            case 5 -> RECURSIVE;
            default -> NO_SUCH_TYPE;
        };
    }

    /// {@return the modes that a change of this type matches}
    private static int modes(WatchEvent.Type type) {
        return switch (type) {
            case NODE_CREATED, NODE_DATA_CHANGED -> DATA | PERSISTENT | RECURSIVE;
            case NODE_DELETED -> ANY;
            case NODE_CHILDREN_CHANGED -> CHILD | PERSISTENT;
        };
    }
}
