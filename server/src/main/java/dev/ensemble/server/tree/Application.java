package dev.ensemble.server.tree;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Result;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Stat;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.model.WatchEvent;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// One transaction on its way into the tree: the changes, the events they fire and what is
/// answered. Decides nothing.
final class Application {
    private final long zxid;
    private final Header header;
    private final Draft draft;
    private final List<WatchEvent> events = new ArrayList<>(2);

    Application(Tree tree, long zxid, Header header) {
        this.zxid = zxid;
        this.header = header;
        draft = new Draft(tree);
    }

    Applied apply(Txn txn) {
        Result result = result(txn);
        return new Applied(zxid, header, txn, new Tree(draft, zxid), List.copyOf(events), result);
    }

    private Result result(Txn txn) {
        return switch (txn) {
            case Txn.Create create -> create(create);
            case Txn.Delete(String path) -> {
                delete(path);
                yield new Result.Deleted();
            }
            case Txn.SetData(String path, byte[] data, int version) -> {
                int before = draft.quotas == 0 ? 0 : dataLength(path);
                var change = draft.setData(path, data, version, zxid, header.timeMillis());
                event(WatchEvent.Type.NODE_DATA_CHANGED, path, change.acl());
                used(path, 0, change.stat().dataLength() - before);
                yield new Result.Changed(change.stat());
            }
            case Txn.SetAcl(String path, List<Acl> acl, int aversion) ->
                    new Result.Changed(draft.setAcl(path, acl, aversion).stat());
            case Txn.Check _ -> new Result.Checked();
            case Txn.Multi(List<Txn> parts) -> {
                List<Result> results = new ArrayList<>(parts.size());
                parts.forEach(part -> results.add(result(part)));
                yield new Result.Parts(List.copyOf(results));
            }
            case Txn.Refused(Code code) -> new Result.Failed(code);
            case Txn.RefusedMulti(List<Code> codes) -> new Result.FailedParts(codes);
            case Txn.CreateSession(int timeoutMillis, byte[] password) -> {
                boolean wasLocal = Session.isLocal(header.session());
                long id = wasLocal ? header.session() : Session.id(header.origin(), zxid);
                // The connection goes on as it is.
                long attach = wasLocal ? Session.LOCAL_ATTACH : zxid;
                yield attached(new Session(id, timeoutMillis, password, header.origin(), attach));
            }
            case Txn.AttachSession(int timeoutMillis) -> attach(timeoutMillis);
            case Txn.CloseSession(List<String> ephemerals) -> {
                ephemerals.forEach(this::delete);
                draft.removeSession(header.session());
                yield new Result.SessionClosed(header.session());
            }
            case Txn.Configure(Ensemble ensemble) -> configure(ensemble.at(zxid));
        };
    }

    private Result create(Txn.Create txn) {
        String path = txn.path();
        var change =
                draft.create(path, txn.data(), txn.acl(), txn.owner(), zxid, header.timeMillis());
        event(WatchEvent.Type.NODE_CREATED, path, change.acl());
        childrenChanged(path, change);
        count(path);
        used(path, 1, change.stat().dataLength());
        return new Result.Created(path, change.stat());
    }

    private void delete(String path) {
        var change = draft.delete(path, zxid);
        event(WatchEvent.Type.NODE_DELETED, path, change.acl());
        childrenChanged(path, change);
        used(path, -1, -change.stat().dataLength());
    }

    // Quotas: who is over a limit is decided when a write is prepared, what is used is kept here.

    private int dataLength(String path) {
        Object znode = draft.znode(path);
        return znode == null ? 0 : Leaf.dataLength(Branch.record(znode));
    }

    /// A znode for the usage of a path has just been made: counts what is there.
    private void count(String path) {
        String counted = Quotas.countedBy(path);
        if (counted == null) {
            return;
        }
        Object znode = draft.znode(counted);
        long count = znode == null ? 0 : 1 + Tree.countBelow(znode);
        long bytes = znode == null ? 0 : Tree.dataBelow(znode);
        draft.rewrite(path, new Quotas.Text().with(count, bytes).data());
    }

    /// Something that may be below a quota was made, changed or removed.
    private void used(String path, int count, long bytes) {
        if (draft.quotas == 0) {
            return;
        }
        String governing = Quotas.governing(path, limits -> draft.znode(limits) != null);
        String usage = governing == null ? null : Quotas.usage(governing);
        Object znode = usage == null ? null : draft.znode(usage);
        if (usage != null && znode != null) {
            var text = Quotas.Text.of(Leaf.data(Branch.record(znode)));
            draft.rewrite(usage, text.with(text.count() + count, text.bytes() + bytes).data());
        }
    }

    private void childrenChanged(String path, Draft.Change change) {
        List<Acl> acl = Objects.requireNonNull(change.parentAcl());
        event(WatchEvent.Type.NODE_CHILDREN_CHANGED, Paths.parent(path), acl);
    }

    private Result attach(int timeoutMillis) {
        Session was = draft.sessions.get(header.session());
        return was == null
                ? new Result.Failed(Code.SESSION_EXPIRED)
                : attached(
                        new Session(
                                was.id(), timeoutMillis, was.password(), header.origin(), zxid));
    }

    private Result attached(Session session) {
        draft.putSession(session);
        return new Result.Attached(session);
    }

    /// A configuration makes the version -1, as the original's reconfig does.
    private Result configure(Ensemble ensemble) {
        draft.putEnsemble(ensemble);
        if (ensemble.isAlone()) {
            // The original does not touch the znode of a server alone either.
            Stat unchanged = Tree.stat(Objects.requireNonNull(draft.znode(Paths.CONFIG)));
            return new Result.Configured(ensemble, unchanged);
        }
        byte[] text =
                ensemble.members().isEmpty()
                        ? new byte[0]
                        : ensemble.text().getBytes(StandardCharsets.UTF_8);
        var change = draft.setData(Paths.CONFIG, text, -1, zxid, header.timeMillis());
        event(WatchEvent.Type.NODE_DATA_CHANGED, Paths.CONFIG, change.acl());
        return new Result.Configured(ensemble, change.stat());
    }

    private void event(WatchEvent.Type type, String path, List<Acl> acl) {
        events.add(new WatchEvent(type, path, acl));
    }
}
