package dev.ensemble.server.member;

import dev.ensemble.server.model.Session;
import dev.ensemble.server.session.Sessions;
import dev.ensemble.server.tree.Tree;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The sessions that only this member knows (`client-protocol` section 14): made and ended without
/// a transaction, until one of them creates an ephemeral and is everybody's from there on.
///
/// Their ids say that they are local, so nobody else takes one for its own. Owned by the peer
/// thread.
final class LocalSessions {
    /// @param connection that speaks for it, or spoke last
    /// @param isUpgrading the leader has been asked to make it everybody's
    private record Local(Session session, long connection, boolean isUpgrading) {}

    private final int myid;
    private final long starts;
    private final Map<Long, Local> byId = new HashMap<>();
    private final Sessions leases;
    private long count;

    /// @param starts how often this member has started: a part of the ids, so that none is used
    ///   twice
    LocalSessions(int myid, long starts, long tickNanos) {
        this.myid = myid;
        this.starts = starts;
        this.leases = new Sessions(tickNanos);
    }

    boolean has(long id) {
        return byId.containsKey(id);
    }

    Session create(long connection, int timeoutMillis, byte[] password, long nowNanos) {
        long id = Session.localId(myid, starts, ++count);
        var session = new Session(id, timeoutMillis, password, myid, Session.LOCAL_ATTACH);
        byId.put(id, new Local(session, connection, false));
        leases.start(id, timeoutMillis, nowNanos);
        return session;
    }

    /// {@return the session with its new timeout, or null if the password is wrong}
    @Nullable Session attach(
            long id, long connection, int timeoutMillis, byte[] password, long nowNanos) {
        Local local = byId.get(id);
        if (local == null || !Arrays.equals(local.session.password(), password)) {
            return null;
        }
        var session = new Session(id, timeoutMillis, password, myid, Session.LOCAL_ATTACH);
        byId.put(id, new Local(session, connection, local.isUpgrading));
        leases.start(id, timeoutMillis, nowNanos);
        return session;
    }

    void touch(long id, long nowNanos) {
        leases.touch(id, nowNanos);
    }

    void paused(long nanos) {
        leases.paused(nanos);
    }

    /// {@return the session, which is to be made everybody's; null if it is not local or that is
    /// under way}
    @Nullable Session beginUpgrade(long id) {
        Local local = byId.get(id);
        if (local == null || local.isUpgrading) {
            return null;
        }
        byId.put(id, new Local(local.session, local.connection, true));
        return local.session;
    }

    boolean isUpgrading(long id) {
        Local local = byId.get(id);
        return local != null && local.isUpgrading;
    }

    /// Another tree is in force, and what was asked before counts for nothing.
    void settle(Tree tree) {
        for (long id : List.copyOf(byId.keySet())) {
            Local local = byId.get(id);
            if (tree.session(id) != null) {
                remove(id);
            } else if (local != null) {
                byId.put(id, new Local(local.session, local.connection, false));
            }
        }
    }

    /// It has ended, or is everybody's.
    ///
    /// @return the connection that speaks for it, 0 if it was not local
    long remove(long id) {
        Local local = byId.remove(id);
        leases.remove(id);
        return local == null ? 0 : local.connection;
    }

    /// {@return the connections of the sessions whose time is up, which are forgotten with this}
    ///
    /// One on its way to be everybody's is the leader's to end.
    List<Long> expire(long nowNanos) {
        var connections = new ArrayList<Long>();
        for (long id : leases.expire(nowNanos)) {
            if (!isUpgrading(id)) {
                connections.add(remove(id));
            }
        }
        return connections;
    }
}
