package dev.ensemble.server.tree;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.AclRules;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Reply;
import dev.ensemble.server.model.Request;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// Answers read requests from a tree (`client-protocol` sections 5.2 and 5.3). Immutable; any
/// thread may ask.
///
/// It neither sets nor looks at watches: the connection that asked does, and it knows by the reply
/// whether to. Paths are not validated: one that no znode can have is NONODE, and the empty one is
/// `/`.
public final class Reads {
    private static final String DIGEST = "digest";

    private final AclRules rules;

    public Reads(AclRules rules) {
        this.rules = rules;
    }

    /// {@return the answer}
    ///
    /// @param request anything but those that are about watches alone
    /// @param session of the connection that asks, whose identities these are
    public Reply read(Request.Read request, Tree tree, long session, List<Id> identities) {
        return switch (request) {
            case Request.GetData(String path, _) ->
                    readZnode(request, path, Acl.READ, tree, identities);
            case Request.Exists(String path, _) when path != null && path.indexOf('\0') >= 0 ->
                    new Reply.Failed(Code.BAD_ARGUMENTS);
            case Request.Exists(String path, _) ->
                    readZnode(request, path, Acl.READ, tree, identities);
            case Request.GetChildren(String path, _, _) ->
                    readZnode(request, path, Acl.READ, tree, identities);
            case Request.GetAllChildrenNumber(String path) ->
                    readZnode(request, path, Acl.READ, tree, identities);
            case Request.GetAcl(String path) ->
                    readZnode(request, path, Acl.READ | Acl.ADMIN, tree, identities);
            case Request.GetEphemerals(String prefix) ->
                    new Reply.Ephemerals(withPrefix(prefix, tree.ephemerals(session)));
            case Request.MultiRead(List<Request.Read> parts) -> {
                List<Reply> replies = new ArrayList<>(parts.size());
                parts.forEach(part -> replies.add(read(part, tree, session, identities)));
                yield new Reply.Parts(replies);
            }
            case Request.WhoAmI _ ->
                    new Reply.Identities(identities.stream().map(Reads::shown).toList());
            case Request.Ping _ -> new Reply.None();
            case Request.MalformedRead _ -> new Reply.Failed(Code.MARSHALLING_ERROR);
            case Request.SetWatches _,
                    Request.AddWatch _,
                    Request.RemoveWatches _,
                    Request.CheckWatches _ ->
                    throw notOfZnode(request);
        };
    }

    private Reply readZnode(
            Request.Read request, @Nullable String path, int perm, Tree tree, List<Id> identities) {
        if (path == null) {
            return new Reply.Failed(Code.MARSHALLING_ERROR);
        }
        Object znode = tree.find(path);
        if (znode == null) {
            return new Reply.Failed(Code.NO_NODE);
        }
        List<Acl> acl = tree.acl(znode);
        if (!rules.permits(acl, perm, identities)) {
            return new Reply.Failed(Code.NO_AUTH);
        }
        return switch (request) {
            case Request.GetData _ -> data(znode);
            case Request.Exists _ -> new Reply.Stats(Tree.stat(znode));
            case Request.GetChildren(_, _, boolean withStat) ->
                    new Reply.Children(Tree.names(znode), withStat ? Tree.stat(znode) : null);
            case Request.GetAllChildrenNumber _ ->
                    // As the original counts: for the empty path, the root is below itself.
                    new Reply.Count(tree.descendants(znode) + (path.isEmpty() ? 1 : 0));
            case Request.GetAcl _ ->
                    new Reply.AclList(
                            rules.permits(acl, Acl.ADMIN, identities) ? acl : redacted(acl),
                            Tree.stat(znode));
            default -> throw notOfZnode(request);
        };
    }

    /// The data stays where it is: a read copies it once, into the reply.
    private static Reply data(Object znode) {
        byte[] record = Branch.record(znode);
        int from = Leaf.dataFrom(record);
        int length = Leaf.isDataNull(record) ? -1 : record.length - from;
        return new Reply.Slice(record, from, length, Tree.stat(znode));
    }

    /// {@return the list without the hashes of passwords}
    private static List<Acl> redacted(List<Acl> acl) {
        List<Acl> shown = new ArrayList<>(acl.size());
        for (Acl entry : acl) {
            Id id = entry.id();
            int colon = id.id().indexOf(':');
            shown.add(
                    id.scheme().equals(DIGEST) && colon >= 0
                            ? new Acl(
                                    entry.perms(),
                                    new Id(DIGEST, id.id().substring(0, colon) + ":x"))
                            : entry);
        }
        return shown;
    }

    /// A prefix of the text, not of the components.
    private static List<String> withPrefix(@Nullable String prefix, List<String> paths) {
        return prefix == null || prefix.isBlank() || prefix.equals(Paths.ROOT)
                ? paths
                : paths.stream().filter(path -> path.startsWith(prefix)).toList();
    }

    /// {@return the identity as whoAmI shows it}
    private static Id shown(Id identity) {
        String user = identity.id();
        return switch (identity.scheme()) {
            case Id.SUPER -> new Id(Id.SUPER, "");
            case DIGEST -> new Id(DIGEST, user.substring(0, (user + ':').indexOf(':')));
            default -> identity;
        };
    }

    private static IllegalArgumentException notOfZnode(Request.Read request) {
        return new IllegalArgumentException("not answered from a tree: " + request);
    }
}
