package dev.ensemble.server.store;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Groups;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.proto.StoreProto;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// Transactions as bytes, by Protobuf: what the log holds and what proposals carry.
///
/// Holds nothing, so any thread may use it.
public final class TxnCodec implements Payload.Codec {
    /// The version of all that any build reads.
    private static final int FIRST_VERSION = 1;

    /// The version of what holds a configuration above the first level: without its groups it would
    /// mean another quorum, so a build that does not know levels must refuse it.
    private static final int VERSION_WITH_LEVELS = 2;

    /// Far above what any client can ask for (a multi in a multi is refused), and below where
    /// Protobuf stops decoding.
    static final int MAX_DEPTH = 16;

    @Override
    public Payload encode(Header header, Txn txn) {
        byte[] bytes =
                StoreProto.StoredTxn.newBuilder()
                        .setVersion(
                                txn instanceof Txn.Configure(Ensemble ensemble)
                                        ? version(ensemble)
                                        : FIRST_VERSION)
                        .setHeader(
                                StoreProto.Header.newBuilder()
                                        .setSession(header.session())
                                        .setOrigin(header.origin())
                                        .setIncarnation(header.incarnation())
                                        .setSequence(header.sequence())
                                        .setTimeMillis(header.timeMillis()))
                        .setTxn(toProto(txn, 1))
                        .build()
                        .toByteArray();
        return new Payload(header, txn, bytes);
    }

    @Override
    public Payload decode(byte[] bytes) {
        StoreProto.StoredTxn stored;
        try {
            stored = StoreProto.StoredTxn.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException(
                    bytes.length + " bytes are no transaction: " + e.getMessage(), e);
        }
        checkVersion(stored.getVersion(), "transaction");
        if (!stored.hasHeader()) {
            throw new IllegalArgumentException("a transaction without a header");
        }
        StoreProto.Header header = stored.getHeader();
        return new Payload(
                new Header(
                        header.getSession(),
                        header.getOrigin(),
                        header.getIncarnation(),
                        header.getSequence(),
                        header.getTimeMillis()),
                fromProto(stored.getTxn(), 1),
                bytes);
    }

    static void checkVersion(int version, String what) {
        if (version < FIRST_VERSION || version > VERSION_WITH_LEVELS) {
            throw new IllegalArgumentException(
                    "a "
                            + what
                            + " of version "
                            + version
                            + "; this build knows "
                            + FIRST_VERSION
                            + " to "
                            + VERSION_WITH_LEVELS);
        }
    }

    /// {@return the version that a value is written with}
    ///
    /// @param ensemble what it holds, if it is a configuration
    static int version(@Nullable Ensemble ensemble) {
        return ensemble != null
                        && (ensemble.groups().decide() || ensemble.level() > Ensemble.FIRST_LEVEL)
                ? VERSION_WITH_LEVELS
                : FIRST_VERSION;
    }

    private static StoreProto.Txn toProto(Txn txn, int depth) {
        checkDepth(depth);
        var to = StoreProto.Txn.newBuilder();
        switch (txn) {
            case Txn.Create create -> to.setCreate(toProto(create));
            case Txn.Delete delete ->
                    to.setDelete(StoreProto.Delete.newBuilder().setPath(delete.path()));
            case Txn.SetData setData -> to.setSetData(toProto(setData));
            case Txn.SetAcl setAcl ->
                    to.setSetAcl(
                            StoreProto.SetAcl.newBuilder()
                                    .setPath(setAcl.path())
                                    .addAllAcl(toProto(setAcl.acl()))
                                    .setAclVersion(setAcl.aversion()));
            case Txn.Check check ->
                    to.setCheck(StoreProto.Check.newBuilder().setPath(check.path()));
            case Txn.Multi multi -> {
                var parts = StoreProto.Multi.newBuilder();
                multi.parts().forEach(part -> parts.addParts(toProto(part, depth + 1)));
                to.setMulti(parts);
            }
            case Txn.Refused refused -> to.setRefused(refused.code().number());
            case Txn.RefusedMulti refused -> {
                var codes = StoreProto.RefusedMulti.newBuilder();
                refused.codes().forEach(code -> codes.addCodes(code.number()));
                to.setRefusedMulti(codes);
            }
            case Txn.CreateSession create ->
                    to.setCreateSession(
                            StoreProto.CreateSession.newBuilder()
                                    .setTimeoutMillis(create.timeoutMillis())
                                    .setPassword(bytes(create.password())));
            case Txn.AttachSession attach ->
                    to.setAttachSession(
                            StoreProto.AttachSession.newBuilder()
                                    .setTimeoutMillis(attach.timeoutMillis()));
            case Txn.CloseSession close ->
                    to.setCloseSession(
                            StoreProto.CloseSession.newBuilder()
                                    .addAllEphemerals(close.ephemerals()));
            case Txn.Configure configure -> to.setConfigure(toProto(configure.ensemble()));
        }
        return to.build();
    }

    private static StoreProto.Create toProto(Txn.Create create) {
        var to =
                StoreProto.Create.newBuilder()
                        .setPath(create.path())
                        .addAllAcl(toProto(create.acl()))
                        .setOwner(create.owner());
        byte[] data = create.data();
        if (data != null) {
            to.setData(bytes(data));
        }
        return to.build();
    }

    private static StoreProto.SetData toProto(Txn.SetData setData) {
        var to =
                StoreProto.SetData.newBuilder()
                        .setPath(setData.path())
                        .setDataVersion(setData.version());
        byte[] data = setData.data();
        if (data != null) {
            to.setData(bytes(data));
        }
        return to.build();
    }

    static List<StoreProto.Acl> toProto(List<Acl> acl) {
        var entries = new ArrayList<StoreProto.Acl>(acl.size());
        for (Acl entry : acl) {
            entries.add(
                    StoreProto.Acl.newBuilder()
                            .setPerms(entry.perms())
                            .setId(
                                    StoreProto.Id.newBuilder()
                                            .setScheme(entry.id().scheme())
                                            .setId(entry.id().id()))
                            .build());
        }
        return entries;
    }

    static StoreProto.Ensemble toProto(Ensemble ensemble) {
        var to =
                StoreProto.Ensemble.newBuilder()
                        .setId(ensemble.id())
                        .setZxid(ensemble.version())
                        .putAllGroups(ensemble.groups().groups())
                        .putAllWeights(ensemble.groups().weights())
                        .setLevel(ensemble.level() > Ensemble.FIRST_LEVEL ? ensemble.level() : 0);
        for (Ensemble.Member member : ensemble.members().values()) {
            var each =
                    StoreProto.Member.newBuilder()
                            .setMyid(member.myid())
                            .setHost(member.host())
                            .setPort(member.port())
                            .setElectionPort(member.electionPort())
                            .setRole(
                                    switch (member.role()) {
                                        case PARTICIPANT -> StoreProto.Member.Role.PARTICIPANT;
                                        case OBSERVER -> StoreProto.Member.Role.OBSERVER;
                                    })
                            .setIncarnation(member.incarnation());
            String client = member.client();
            if (client != null) {
                each.setClient(client);
            }
            for (Ensemble.Member.Address address : member.more()) {
                each.addMore(
                        StoreProto.Address.newBuilder()
                                .setHost(address.host())
                                .setPort(address.port())
                                .setElectionPort(address.electionPort()));
            }
            to.addMembers(each);
        }
        return to.build();
    }

    private static Txn fromProto(StoreProto.Txn txn, int depth) {
        checkDepth(depth);
        return switch (txn.getKindCase()) {
            case CREATE -> {
                StoreProto.Create create = txn.getCreate();
                yield new Txn.Create(
                        create.getPath(),
                        create.hasData() ? create.getData().toByteArray() : null,
                        fromProto(create.getAclList()),
                        create.getOwner());
            }
            case DELETE -> new Txn.Delete(txn.getDelete().getPath());
            case SET_DATA -> {
                StoreProto.SetData setData = txn.getSetData();
                yield new Txn.SetData(
                        setData.getPath(),
                        setData.hasData() ? setData.getData().toByteArray() : null,
                        setData.getDataVersion());
            }
            case SET_ACL ->
                    new Txn.SetAcl(
                            txn.getSetAcl().getPath(),
                            fromProto(txn.getSetAcl().getAclList()),
                            txn.getSetAcl().getAclVersion());
            case CHECK -> new Txn.Check(txn.getCheck().getPath());
            case MULTI -> {
                var parts = new ArrayList<Txn>(txn.getMulti().getPartsCount());
                for (StoreProto.Txn part : txn.getMulti().getPartsList()) {
                    parts.add(fromProto(part, depth + 1));
                }
                yield new Txn.Multi(List.copyOf(parts));
            }
            case REFUSED -> new Txn.Refused(Code.of(txn.getRefused()));
            case REFUSED_MULTI ->
                    new Txn.RefusedMulti(
                            txn.getRefusedMulti().getCodesList().stream().map(Code::of).toList());
            case CREATE_SESSION ->
                    new Txn.CreateSession(
                            txn.getCreateSession().getTimeoutMillis(),
                            txn.getCreateSession().getPassword().toByteArray());
            case ATTACH_SESSION -> new Txn.AttachSession(txn.getAttachSession().getTimeoutMillis());
            case CLOSE_SESSION ->
                    new Txn.CloseSession(List.copyOf(txn.getCloseSession().getEphemeralsList()));
            case CONFIGURE -> new Txn.Configure(fromProto(txn.getConfigure()));
            case KIND_NOT_SET ->
                    throw new IllegalArgumentException(
                            "a transaction of no kind that this build knows");
        };
    }

    static List<Acl> fromProto(List<StoreProto.Acl> acl) {
        var entries = new ArrayList<Acl>(acl.size());
        for (StoreProto.Acl entry : acl) {
            entries.add(
                    new Acl(
                            entry.getPerms(),
                            new Id(entry.getId().getScheme(), entry.getId().getId())));
        }
        return List.copyOf(entries);
    }

    static Ensemble fromProto(StoreProto.Ensemble ensemble) {
        var members = new java.util.TreeMap<Integer, Ensemble.Member>();
        for (StoreProto.Member member : ensemble.getMembersList()) {
            members.put(member.getMyid(), fromProto(member));
        }
        var groups = new Groups(ensemble.getGroupsMap(), ensemble.getWeightsMap());
        return new Ensemble(
                ensemble.getId(),
                ensemble.getZxid(),
                members,
                groups,
                Ensemble.knownLevel(ensemble.getLevel()));
    }

    private static Ensemble.Member fromProto(StoreProto.Member member) {
        @Nullable String client = member.hasClient() ? member.getClient() : null;
        Ensemble.Role role =
                switch (member.getRole()) {
                    case PARTICIPANT -> Ensemble.Role.PARTICIPANT;
                    case OBSERVER -> Ensemble.Role.OBSERVER;
                    case UNKNOWN, UNRECOGNIZED ->
                            throw new IllegalArgumentException(
                                    "role "
                                            + member.getRoleValue()
                                            + " of member "
                                            + member.getMyid()
                                            + " is none that this build knows");
                };
        return new Ensemble.Member(
                member.getMyid(),
                member.getHost(),
                member.getPort(),
                member.getElectionPort(),
                role,
                client,
                member.getIncarnation(),
                member.getMoreList().stream()
                        .map(each ->
                                new Ensemble.Member.Address(
                                        each.getHost(), each.getPort(), each.getElectionPort()))
                        .toList());
    }

    private static void checkDepth(int depth) {
        if (depth > MAX_DEPTH) {
            throw new IllegalArgumentException(
                    "transactions nested more than " + MAX_DEPTH + " deep");
        }
    }

    /// Without a copy: nobody changes the bytes of a transaction.
    static ByteString bytes(byte[] value) {
        return UnsafeByteOperations.unsafeWrap(value);
    }
}
