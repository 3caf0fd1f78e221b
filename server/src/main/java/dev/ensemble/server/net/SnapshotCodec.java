package dev.ensemble.server.net;

import com.google.protobuf.InvalidProtocolBufferException;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Groups;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.proto.PeerProto;
import dev.ensemble.server.tree.StateChange;

import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/// What a snapshot carries, as Protobuf and back.
final class SnapshotCodec {
    private SnapshotCodec() {}

    static PeerProto.Change encode(StateChange change) {
        PeerProto.Change.Builder encoded = PeerProto.Change.newBuilder();
        switch (change) {
            case StateChange.PutNode node -> encoded.setNode(node(node));
            case StateChange.PutSession(Session session) -> encoded.setSession(session(session));
            case StateChange.PutEnsemble(Ensemble ensemble) ->
                    encoded.setEnsemble(ensemble(ensemble));
            case StateChange.At(long zxid) -> encoded.setAt(zxid);
            case StateChange.RemoveNode _, StateChange.RemoveSession _ ->
                    throw new IllegalArgumentException("a whole state has no " + change);
        }
        return encoded.build();
    }

    static StateChange decode(PeerProto.Change change) {
        return switch (change.getKindCase()) {
            case NODE -> node(change.getNode());
            case SESSION -> new StateChange.PutSession(session(change.getSession()));
            case ENSEMBLE -> new StateChange.PutEnsemble(ensemble(change.getEnsemble()));
            case AT -> new StateChange.At(LinkCodec.zxid(change.getAt()));
            case KIND_NOT_SET -> throw new IllegalArgumentException("an unknown kind of change");
        };
    }

    /// {@return the changes in a chunk}
    ///
    /// @throws IllegalArgumentException if it is damaged
    static List<StateChange> decode(PeerProto.Chunk chunk) {
        if (chunk.getCrc() != crc(chunk.getChanges().toByteArray())) {
            throw new IllegalArgumentException("wrong checksum of chunk " + chunk.getNumber());
        }
        try {
            List<StateChange> changes = new ArrayList<>();
            for (PeerProto.Change change :
                    PeerProto.Changes.parseFrom(chunk.getChanges()).getChangesList()) {
                changes.add(decode(change));
            }
            return changes;
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException("chunk " + chunk.getNumber() + ": " + e, e);
        }
    }

    static int crc(byte[] bytes) {
        var crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }

    private static PeerProto.PutNode node(StateChange.PutNode node) {
        PeerProto.PutNode.Builder encoded =
                PeerProto.PutNode.newBuilder()
                        .setPath(node.path())
                        .setCzxid(node.czxid())
                        .setMzxid(node.mzxid())
                        .setPzxid(node.pzxid())
                        .setCtime(node.ctime())
                        .setMtime(node.mtime())
                        .setVersion(node.version())
                        .setAversion(node.aversion())
                        .setCreated(node.created())
                        .setOwner(node.owner());
        LinkCodec.ifPresent(node.data(), data -> encoded.setData(LinkCodec.wrap(data)));
        node.acl().forEach(acl -> encoded.addAcl(LinkCodec.acl(acl)));
        return encoded.build();
    }

    private static StateChange node(PeerProto.PutNode node) {
        List<Acl> acl = new ArrayList<>(node.getAclCount());
        node.getAclList().forEach(entry -> acl.add(LinkCodec.acl(entry)));
        return new StateChange.PutNode(
                node.getPath(),
                node.hasData() ? node.getData().toByteArray() : null,
                List.copyOf(acl),
                node.getCzxid(),
                node.getMzxid(),
                node.getPzxid(),
                node.getCtime(),
                node.getMtime(),
                node.getVersion(),
                node.getAversion(),
                node.getCreated(),
                node.getOwner());
    }

    private static PeerProto.Session session(Session session) {
        return PeerProto.Session.newBuilder()
                .setId(session.id())
                .setTimeoutMillis(session.timeoutMillis())
                .setPassword(LinkCodec.wrap(session.password()))
                .setOwner(session.owner())
                .setAttach(session.attach())
                .build();
    }

    private static Session session(PeerProto.Session session) {
        return new Session(
                session.getId(),
                session.getTimeoutMillis(),
                session.getPassword().toByteArray(),
                session.getOwner(),
                session.getAttach());
    }

    private static PeerProto.Ensemble ensemble(Ensemble ensemble) {
        PeerProto.Ensemble.Builder encoded =
                PeerProto.Ensemble.newBuilder()
                        .setId(ensemble.id())
                        .setVersion(ensemble.version())
                        .putAllGroups(ensemble.groups().groups())
                        .putAllWeights(ensemble.groups().weights())
                        .setLevel(ensemble.level() > Ensemble.FIRST_LEVEL ? ensemble.level() : 0);
        for (Ensemble.Member member : ensemble.members().values()) {
            PeerProto.Member.Builder one =
                    PeerProto.Member.newBuilder()
                            .setMyid(member.myid())
                            .setHost(member.host())
                            .setPort(member.port())
                            .setElectionPort(member.electionPort())
                            .setObserver(member.role() == Ensemble.Role.OBSERVER)
                            .setIncarnation(member.incarnation());
            LinkCodec.ifPresent(member.client(), one::setClient);
            for (Ensemble.Member.Address address : member.more()) {
                one.addMore(
                        PeerProto.Address.newBuilder()
                                .setHost(address.host())
                                .setPort(address.port())
                                .setElectionPort(address.electionPort()));
            }
            encoded.addMembers(one);
        }
        return encoded.build();
    }

    private static Ensemble ensemble(PeerProto.Ensemble ensemble) {
        List<Ensemble.Member> members = new ArrayList<>(ensemble.getMembersCount());
        for (PeerProto.Member member : ensemble.getMembersList()) {
            members.add(
                    new Ensemble.Member(
                            LinkCodec.myid(member.getMyid()),
                            member.getHost(),
                            member.getPort(),
                            member.getElectionPort(),
                            member.getObserver()
                                    ? Ensemble.Role.OBSERVER
                                    : Ensemble.Role.PARTICIPANT,
                            member.hasClient() ? member.getClient() : null,
                            member.getIncarnation(),
                            member.getMoreList().stream()
                                    .map(each ->
                                            new Ensemble.Member.Address(
                                                    each.getHost(),
                                                    each.getPort(),
                                                    each.getElectionPort()))
                                    .toList()));
        }
        return Ensemble.declared(ensemble.getId(), members)
                .atLevel(Ensemble.knownLevel(ensemble.getLevel()))
                .with(new Groups(ensemble.getGroupsMap(), ensemble.getWeightsMap()))
                .at(ensemble.getVersion());
    }
}
