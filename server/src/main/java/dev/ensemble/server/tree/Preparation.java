package dev.ensemble.server.tree;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.AclRules;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.MemberLine;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Txn;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;

/// Makes a write request a transaction, or a refusal: all that the leader decides about it.
///
/// Immutable. The order of checks is part of the contract with clients (`client-protocol` section
/// 5.2); the methods below keep it, one line for each check.
public final class Preparation {
    /// The scheme of an ACL entry that stands for whoever asks.
    private static final String AUTH = "auth";

    private final AclRules rules;
    private final Options options;

    /// @param reconfigEnabled whether clients may ask for another configuration
    /// @param extendedTypes whether there are TTL nodes
    /// @param enforceQuota whether a hard limit refuses what exceeds it
    /// @param fewestVoters that a change by a client may leave; 0: this server is alone, and there
    ///   is no membership
    /// @param severalAddresses whether a member may have more than one
    public record Options(
            boolean reconfigEnabled,
            boolean extendedTypes,
            boolean enforceQuota,
            int fewestVoters,
            boolean severalAddresses) {
        /// With one address for each member.
        public Options(
                boolean reconfigEnabled,
                boolean extendedTypes,
                boolean enforceQuota,
                int fewestVoters) {
            this(reconfigEnabled, extendedTypes, enforceQuota, fewestVoters, false);
        }

        /// Of a server that is alone.
        public Options(boolean reconfigEnabled, boolean extendedTypes, boolean enforceQuota) {
            this(reconfigEnabled, extendedTypes, enforceQuota, 0);
        }
    }

    /// Who asks, and when.
    private record Asker(long session, long attach, List<Id> identities, long wallMillis) {}

    public Preparation(AclRules rules, Options options) {
        this.rules = rules;
        this.options = options;
    }

    /// {@return the transaction that does what is asked; applied to `outlook`, it cannot fail}
    ///
    /// @param attach number of the attach by which the connection owns its session
    /// @param identities of the connection
    /// @param wallMillis the time that the transaction will carry
    /// @param outlook the tree as it will be once every outstanding proposal has committed
    public Txn prepare(
            Request.Write request,
            long session,
            long attach,
            List<Id> identities,
            long wallMillis,
            Tree outlook) {
        var asker = new Asker(session, attach, identities, wallMillis);
        return switch (request) {
            case Request.Multi(List<Request.Write> parts) -> multi(parts, asker, outlook);
            case Request.Create create -> create(create, asker, outlook, false);
            case Request.Delete delete -> delete(delete, asker, outlook);
            case Request.SetData set -> setData(set, asker, outlook);
            case Request.SetAcl set -> setAcl(set, asker, outlook);
            case Request.Check _ -> new Txn.Refused(Code.UNIMPLEMENTED);
            case Request.CloseSession _ -> closeSession(asker, outlook);
            case Request.Reconfig _ ->
                    new Txn.Refused(
                            options.reconfigEnabled
                                    ? Code.UNIMPLEMENTED // Of a member: prepareReconfig.
                                    : Code.RECONFIG_DISABLED);
            case Request.MalformedWrite _ -> new Txn.Refused(Code.MARSHALLING_ERROR);
        };
    }

    /// {@return whether the request makes an ephemeral, if it is not refused}
    public static boolean isEphemeral(Request.Write request) {
        return switch (request) {
            case Request.Multi(List<Request.Write> parts) ->
                    parts.stream()
                            .anyMatch(part ->
                                    part instanceof Request.Create create
                                            && isEphemeral(create, true));
            case Request.Create create -> isEphemeral(create, false);
            default -> false;
        };
    }

    private static boolean isEphemeral(Request.Create create, boolean inMulti) {
        CreateMode mode = CreateMode.of(create, inMulti);
        return mode != null && mode.isEphemeral();
    }

    private Txn multi(List<Request.Write> parts, Asker asker, Tree outlook) {
        Code refusal = sessionRefusal(asker, outlook);
        // A connection that no longer owns the session is closed, whatever it sent.
        if (refusal == Code.SESSION_MOVED || (refusal != null && parts.isEmpty())) {
            return new Txn.Refused(refusal);
        }
        List<Txn> txns = new ArrayList<>(parts.size());
        Tree before = outlook;
        for (int i = 0; i < parts.size(); i++) {
            Txn txn = part(parts.get(i), asker, before);
            if (txn instanceof Txn.Refused(Code code)) {
                return code == Code.MARSHALLING_ERROR ? txn : refusedMulti(parts.size(), i, code);
            }
            txns.add(txn);
            if (i + 1 < parts.size()) {
                before = with(txn, asker, before);
            }
        }
        return new Txn.Multi(List.copyOf(txns));
    }

    private Txn part(Request.Write part, Asker asker, Tree outlook) {
        return switch (part) {
            case Request.Create create -> create(create, asker, outlook, true);
            case Request.Delete delete -> delete(delete, asker, outlook);
            case Request.SetData set -> setData(set, asker, outlook);
            case Request.Check check -> check(check, asker, outlook);
            case Request.SetAcl _,
                    Request.Multi _,
                    Request.CloseSession _,
                    Request.Reconfig _,
                    Request.MalformedWrite _ ->
                    new Txn.Refused(Code.MARSHALLING_ERROR);
        };
    }

    /// {@return the outlook as the next part of the multi sees it}
    private static Tree with(Txn txn, Asker asker, Tree outlook) {
        var header = new Header(asker.session, 0, 0, 0, asker.wallMillis);
        return outlook.apply(outlook.zxid() + 1, header, txn).tree();
    }

    private static Txn refusedMulti(int parts, int failed, Code code) {
        List<Code> codes = new ArrayList<>(parts);
        for (int i = 0; i < parts; i++) {
            codes.add(i < failed ? Code.OK : i == failed ? code : Code.RUNTIME_INCONSISTENCY);
        }
        return new Txn.RefusedMulti(List.copyOf(codes));
    }

    private Txn create(Request.Create request, Asker asker, Tree outlook, boolean inMulti) {
        CreateMode mode = CreateMode.of(request, inMulti);
        if (mode == null) {
            return new Txn.Refused(Code.BAD_ARGUMENTS);
        }
        if (mode.isTtl() && !options.extendedTypes) {
            return new Txn.Refused(Code.UNIMPLEMENTED);
        }
        if (!mode.hasGoodTtl(request)) {
            return new Txn.Refused(Code.BAD_ARGUMENTS);
        }
        Code refusal = sessionRefusal(asker, outlook);
        if (refusal != null) {
            return new Txn.Refused(refusal);
        }
        if (mode.isEphemeral() && outlook.session(asker.session) == null) {
            return new Txn.Refused(Code.EPHEMERAL_ON_LOCAL_SESSION);
        }
        String path = request.path();
        if (path == null) {
            return new Txn.Refused(Code.MARSHALLING_ERROR);
        }
        if (!hasParent(path)) {
            return new Txn.Refused(Code.BAD_ARGUMENTS);
        }
        List<Acl> acl = fixed(request.acl(), asker);
        if (acl == null) {
            return new Txn.Refused(Code.INVALID_ACL);
        }
        Object parent = outlook.find(path.substring(0, path.lastIndexOf('/')));
        if (parent == null) {
            return new Txn.Refused(Code.NO_NODE);
        }
        if (!permits(parent, Acl.CREATE, asker, outlook)) {
            return new Txn.Refused(Code.NO_AUTH);
        }
        String full = mode.isSequential() ? path + suffix(Branch.of(parent).created) : path;
        if (!Paths.isValid(full)) {
            return new Txn.Refused(Code.BAD_ARGUMENTS);
        }
        if (outlook.find(full) != null) {
            return new Txn.Refused(Code.NODE_EXISTS);
        }
        if (Owner.isSession(Leaf.owner(Branch.record(parent)))) {
            return new Txn.Refused(Code.NO_CHILDREN_FOR_EPHEMERALS);
        }
        if (exceedsQuota(full, 1, length(request.data()), outlook)) {
            return new Txn.Refused(Code.QUOTA_EXCEEDED);
        }
        return new Txn.Create(full, request.data(), acl, mode.owner(asker.session, request.ttl()));
    }

    private Txn delete(Request.Delete request, Asker asker, Tree outlook) {
        Code refusal = sessionRefusal(asker, outlook);
        if (refusal != null) {
            return new Txn.Refused(refusal);
        }
        String path = request.path();
        if (path == null) {
            return new Txn.Refused(Code.MARSHALLING_ERROR);
        }
        if (!hasParent(path) || Paths.isReserved(path)) {
            return new Txn.Refused(Code.BAD_ARGUMENTS);
        }
        Object parent = outlook.find(path.substring(0, path.lastIndexOf('/')));
        if (parent == null) {
            return new Txn.Refused(Code.NO_NODE);
        }
        if (!permits(parent, Acl.DELETE, asker, outlook)) {
            return new Txn.Refused(Code.NO_AUTH);
        }
        Object znode = outlook.find(path);
        if (znode == null) {
            return new Txn.Refused(Code.NO_NODE);
        }
        if (!isVersion(request.version(), Leaf.version(Branch.record(znode)))) {
            return new Txn.Refused(Code.BAD_VERSION);
        }
        if (znode instanceof Branch branch && branch.childCount > 0) {
            return new Txn.Refused(Code.NOT_EMPTY);
        }
        return new Txn.Delete(path);
    }

    private Txn setData(Request.SetData request, Asker asker, Tree outlook) {
        Code refusal = sessionRefusal(asker, outlook);
        if (refusal != null) {
            return new Txn.Refused(refusal);
        }
        String path = request.path();
        if (path == null || !Paths.isValid(path)) {
            return new Txn.Refused(Code.BAD_ARGUMENTS);
        }
        Object znode = outlook.find(path);
        if (znode == null) {
            return new Txn.Refused(Code.NO_NODE);
        }
        if (!permits(znode, Acl.WRITE, asker, outlook)) {
            return new Txn.Refused(Code.NO_AUTH);
        }
        byte[] record = Branch.record(znode);
        int more = length(request.data()) - Leaf.dataLength(record);
        if (exceedsQuota(path, 0, more, outlook)) {
            return new Txn.Refused(Code.QUOTA_EXCEEDED);
        }
        int version = Leaf.version(record);
        if (!isVersion(request.version(), version)) {
            return new Txn.Refused(Code.BAD_VERSION);
        }
        return new Txn.SetData(path, request.data(), next(version));
    }

    private Txn setAcl(Request.SetAcl request, Asker asker, Tree outlook) {
        Code refusal = sessionRefusal(asker, outlook);
        if (refusal != null) {
            return new Txn.Refused(refusal);
        }
        String path = request.path();
        if (path == null || !Paths.isValid(path)) {
            return new Txn.Refused(Code.BAD_ARGUMENTS);
        }
        List<Acl> acl = fixed(request.acl(), asker);
        if (acl == null) {
            return new Txn.Refused(Code.INVALID_ACL);
        }
        Object znode = outlook.find(path);
        if (znode == null) {
            return new Txn.Refused(Code.NO_NODE);
        }
        if (!permits(znode, Acl.ADMIN, asker, outlook)) {
            return new Txn.Refused(Code.NO_AUTH);
        }
        int aversion = Leaf.aversion(Branch.record(znode));
        if (!isVersion(request.version(), aversion)) {
            return new Txn.Refused(Code.BAD_VERSION);
        }
        return new Txn.SetAcl(path, acl, next(aversion));
    }

    private Txn check(Request.Check request, Asker asker, Tree outlook) {
        Code refusal = sessionRefusal(asker, outlook);
        if (refusal != null) {
            return new Txn.Refused(refusal);
        }
        String path = request.path();
        if (path == null || !Paths.isValid(path)) {
            return new Txn.Refused(Code.BAD_ARGUMENTS);
        }
        Object znode = outlook.find(path);
        if (znode == null) {
            return new Txn.Refused(Code.NO_NODE);
        }
        if (!permits(znode, Acl.READ, asker, outlook)) {
            return new Txn.Refused(Code.NO_AUTH);
        }
        if (!isVersion(request.version(), Leaf.version(Branch.record(znode)))) {
            return new Txn.Refused(Code.BAD_VERSION);
        }
        return new Txn.Check(path);
    }

    private Txn closeSession(Asker asker, Tree outlook) {
        Code refusal = sessionRefusal(asker, outlook);
        return refusal != null
                ? new Txn.Refused(refusal)
                : new Txn.CloseSession(outlook.ephemerals(asker.session));
    }

    /// {@return the transaction that changes the membership as asked}, see [#prepare]
    ///
    /// @param members as the leader knows them
    public Txn prepareReconfig(
            Request.Reconfig request,
            long session,
            long attach,
            List<Id> identities,
            Tree outlook,
            Reconfiguration.Members members) {
        var asker = new Asker(session, attach, identities, 0);
        Code refusal =
                options.reconfigEnabled ? sessionRefusal(asker, outlook) : Code.RECONFIG_DISABLED;
        if (refusal == null && options.fewestVoters == 0) {
            refusal = Code.UNIMPLEMENTED;
        }
        if (refusal == null && members.isPending()) {
            refusal = Code.RECONFIG_IN_PROGRESS;
        }
        Ensemble present = outlook.ensemble();
        if (refusal == null
                && request.curConfigId() != -1
                && request.curConfigId() != present.version()) {
            refusal = Code.BAD_VERSION;
        }
        return refusal != null
                ? new Txn.Refused(refusal)
                : reconfig(request, asker, outlook, members);
    }

    private Txn reconfig(
            Request.Reconfig request, Asker asker, Tree outlook, Reconfiguration.Members members) {
        List<Acl> acl = outlook.acl(Paths.CONFIG);
        boolean isAllowed = acl != null && rules.permits(acl, Acl.WRITE, asker.identities);
        Ensemble next;
        try {
            next =
                    Reconfiguration.of(
                            request,
                            outlook.ensemble(),
                            options.fewestVoters,
                            options.severalAddresses);
        } catch (MemberLine.UnknownId _) {
            // The original knows that id, so whoever may not ask hears that.
            return new Txn.Refused(isAllowed ? Code.BAD_ARGUMENTS : Code.NO_AUTH);
        } catch (IllegalArgumentException _) {
            return new Txn.Refused(Code.BAD_ARGUMENTS);
        }
        next = members.withDisks(next);
        if (!members.hasQuorum(next)) {
            return new Txn.Refused(Code.NEW_CONFIG_NO_QUORUM);
        }
        return isAllowed ? new Txn.Configure(next) : new Txn.Refused(Code.NO_AUTH);
    }

    /// {@return why this connection may not speak for its session, or null if it may}
    private static @Nullable Code sessionRefusal(Asker asker, Tree outlook) {
        Session session = outlook.session(asker.session);
        if (session == null) {
            return isLocal(asker) ? null : Code.SESSION_EXPIRED;
        }
        return session.attach() == asker.attach ? null : Code.SESSION_MOVED;
    }

    /// {@return whether the session may be one that only its member knows, which says so itself}
    private static boolean isLocal(Asker asker) {
        return Session.isLocal(asker.session) && asker.attach == Session.LOCAL_ATTACH;
    }

    private static int length(byte @Nullable [] data) {
        return data == null ? 0 : data.length;
    }

    /// {@return whether a hard limit forbids that so much more is used; soft ones never do}
    private boolean exceedsQuota(String path, int count, long bytes, Tree outlook) {
        if (!options.enforceQuota || outlook.quotaCount() == 0) {
            return false;
        }
        String governing = Quotas.governing(path, limits -> outlook.find(limits) != null);
        if (governing == null || outlook.find(Quotas.usage(governing)) == null) {
            return false;
        }
        var limits = Quotas.Text.of(outlook.data(Quotas.limits(governing)));
        var usage = Quotas.Text.of(outlook.data(Quotas.usage(governing)));
        return exceeds(limits.countHardLimit(), usage.count(), count)
                || exceeds(limits.byteHardLimit(), usage.bytes(), bytes);
    }

    /// Only what changes is checked, also when it becomes less.
    private static boolean exceeds(long limit, long used, long more) {
        return limit > -1 && more != 0 && used + more > limit;
    }

    private boolean permits(Object znode, int perm, Asker asker, Tree outlook) {
        return rules.permits(outlook.acl(znode), perm, asker.identities);
    }

    /// {@return the list as it is stored, or null if it is not valid: once each, and `auth`
    /// replaced by who asks}
    private @Nullable List<Acl> fixed(@Nullable List<Acl> acl, Asker asker) {
        if (acl == null || acl.isEmpty()) {
            return null;
        }
        List<Acl> fixed = new ArrayList<>(acl.size());
        for (Acl entry : new LinkedHashSet<>(acl)) {
            Id id = entry.id();
            if (id.scheme().equals(AUTH)) {
                int before = fixed.size();
                for (Id identity : asker.identities) {
                    if (rules.authenticates(identity)) {
                        fixed.add(new Acl(entry.perms(), identity));
                    }
                }
                if (fixed.size() == before) {
                    return null;
                }
            } else if (id.equals(Id.ANYONE)) {
                fixed.add(entry);
            } else if (id.scheme().equals(Id.ANYONE.scheme()) || !rules.isValid(id)) {
                return null;
            } else {
                fixed.add(entry);
            }
        }
        return List.copyOf(fixed);
    }

    /// {@return whether there is a part of the path that may name a parent; whether it is valid
    /// shows later}
    private static boolean hasParent(String path) {
        return path.indexOf('/') >= 0 && path.indexOf('\0') < 0;
    }

    /// @param expected -1 for any
    private static boolean isVersion(int expected, int actual) {
        return expected == -1 || expected == actual;
    }

    /// {@return the version after this one; never -1, which would mean any}
    private static int next(int version) {
        return version == -2 ? 0 : version + 1;
    }

    /// {@return what a sequential name ends with: at least ten digits}
    private static String suffix(int created) {
        String digits = Integer.toString(created);
        return "0".repeat(Math.max(0, 10 - digits.length())) + digits;
    }
}
