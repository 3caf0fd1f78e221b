package dev.ensemble.server.net;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.proto.PeerProto;
import dev.ensemble.server.proto.PeerProto.Frame;
import dev.ensemble.server.zab.Hello;
import dev.ensemble.server.zab.Message;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// Messages of members as Protobuf and back; `peer.proto` is the format,
/// `server/docs/peer-protocol.md` its meaning.
///
/// Immutable. What cannot be understood is an [IllegalArgumentException] that says why; the caller
/// closes that connection.
public final class LinkCodec {
    private final Payload.Codec payloads;

    /// @param payloads decodes what proposals carry
    public LinkCodec(Payload.Codec payloads) {
        this.payloads = payloads;
    }

    /// {@return the frame that carries `message`}
    public Frame encode(long incarnation, long epoch, Message message) {
        Frame.Builder frame = Frame.newBuilder().setIncarnation(incarnation).setEpoch(epoch);
        switch (message) {
            case Message.Notification m -> frame.setNotification(notification(m));
            case Message.FollowerInfo(long accepted, long attempt) ->
                    frame.setFollowerInfo(
                            PeerProto.FollowerInfo.newBuilder()
                                    .setAcceptedEpoch(accepted)
                                    .setAttempt(attempt));
            case Message.LeaderInfo(String ensemble, long attempt) ->
                    frame.setLeaderInfo(
                            PeerProto.LeaderInfo.newBuilder()
                                    .setEnsembleId(ensemble)
                                    .setAttempt(attempt));
            case Message.AckEpoch m ->
                    frame.setAckEpoch(
                            PeerProto.AckEpoch.newBuilder()
                                    .setPromised(m.promised())
                                    .setCurrentEpoch(m.currentEpoch())
                                    .setLastZxid(m.lastZxid())
                                    .addAllEpochEnds(m.epochEnds()));
            case Message.Diff() -> frame.setDiff(PeerProto.Diff.getDefaultInstance());
            case Message.Trunc(long zxid) ->
                    frame.setTrunc(PeerProto.Trunc.newBuilder().setZxid(zxid));
            case Message.Snap(long zxid) ->
                    frame.setSnap(PeerProto.Snap.newBuilder().setZxid(zxid));
            case Message.Proposal(long zxid, Payload payload) ->
                    frame.setProposal(
                            PeerProto.Proposal.newBuilder()
                                    .setZxid(zxid)
                                    .setPayload(wrap(payload.bytes())));
            case Message.Commit(long zxid) ->
                    frame.setCommit(PeerProto.Commit.newBuilder().setZxid(zxid));
            case Message.NewLeader(long zxid) ->
                    frame.setNewLeader(PeerProto.NewLeader.newBuilder().setZxid(zxid));
            case Message.AckNewLeader() ->
                    frame.setAckNewLeader(PeerProto.AckNewLeader.getDefaultInstance());
            case Message.UpToDate(long committed) ->
                    frame.setUpToDate(PeerProto.UpToDate.newBuilder().setCommitted(committed));
            case Message.Ack(long zxid) -> frame.setAck(PeerProto.Ack.newBuilder().setZxid(zxid));
            case Message.Ping m ->
                    frame.setPing(
                            PeerProto.Ping.newBuilder()
                                    .setRound(m.round())
                                    .setCommitted(m.committed())
                                    .setSafeToStop(m.safeToStop())
                                    .addAllReasons(m.reasons())
                                    .setRest(m.rest()));
            case Message.Pong(long round, boolean full) ->
                    frame.setPong(PeerProto.Pong.newBuilder().setRound(round).setFull(full));
            case Message.HandOver(int successor) ->
                    frame.setHandOver(PeerProto.HandOver.newBuilder().setSuccessor(successor));
            case Message.Rejected(String reason) ->
                    frame.setRejected(PeerProto.Rejected.newBuilder().setReason(reason));
            case Message.Forward m -> frame.setForward(forward(m));
            case Message.ForwardConnect m ->
                    frame.setForwardConnect(
                            PeerProto.ForwardConnect.newBuilder()
                                    .setSequence(m.sequence())
                                    .setSession(m.session())
                                    .setTimeoutMillis(m.timeoutMillis())
                                    .setPassword(wrap(m.password()))
                                    .setIsUpgrade(m.isUpgrade()));
            case Message.ConnectRefused(long sequence) ->
                    frame.setConnectRefused(
                            PeerProto.ConnectRefused.newBuilder().setSequence(sequence));
            case Message.SyncRequest(long sequence) ->
                    frame.setSyncRequest(PeerProto.SyncRequest.newBuilder().setSequence(sequence));
            case Message.TreeDigest(long zxid, long digest, boolean wrong, int version) ->
                    frame.setTreeDigest(
                            PeerProto.TreeDigest.newBuilder()
                                    .setZxid(zxid)
                                    .setDigest(digest)
                                    .setWrong(wrong)
                                    .setVersion(version));
            case Message.SyncReply(long sequence, long zxid) ->
                    frame.setSyncReply(
                            PeerProto.SyncReply.newBuilder().setSequence(sequence).setZxid(zxid));
            case Message.Touched(long[] sessions) -> {
                PeerProto.Touched.Builder touched = PeerProto.Touched.newBuilder();
                for (long session : sessions) {
                    touched.addSessions(session);
                }
                frame.setTouched(touched);
            }
        }
        return frame.build();
    }

    /// {@return the message that a frame carries; null if it carries something of the link itself}
    ///
    /// @throws IllegalArgumentException if the frame carries nothing that this build knows, or a
    ///   value out of range
    public @Nullable Message decode(Frame frame) {
        return switch (frame.getBodyCase()) {
            case HELLO, ACCEPTED, REFUSED, ALIVE, FETCH, CHUNK, CREDIT -> null;
            case NOTIFICATION -> notification(frame.getNotification());
            case FOLLOWER_INFO ->
                    new Message.FollowerInfo(
                            epoch(frame.getFollowerInfo().getAcceptedEpoch()),
                            frame.getFollowerInfo().getAttempt());
            case LEADER_INFO ->
                    new Message.LeaderInfo(
                            frame.getLeaderInfo().getEnsembleId(),
                            frame.getLeaderInfo().getAttempt());
            case ACK_EPOCH -> ackEpoch(frame.getAckEpoch());
            case DIFF -> new Message.Diff();
            case TRUNC -> new Message.Trunc(zxid(frame.getTrunc().getZxid()));
            case SNAP -> new Message.Snap(zxid(frame.getSnap().getZxid()));
            case PROPOSAL -> proposal(frame.getProposal());
            case COMMIT -> new Message.Commit(zxid(frame.getCommit().getZxid()));
            case NEW_LEADER -> new Message.NewLeader(zxid(frame.getNewLeader().getZxid()));
            case ACK_NEW_LEADER -> new Message.AckNewLeader();
            case UP_TO_DATE -> new Message.UpToDate(zxid(frame.getUpToDate().getCommitted()));
            case ACK -> new Message.Ack(zxid(frame.getAck().getZxid()));
            case PING -> ping(frame.getPing());
            case PONG -> new Message.Pong(frame.getPong().getRound(), frame.getPong().getFull());
            case HAND_OVER -> new Message.HandOver(myid(frame.getHandOver().getSuccessor()));
            case REJECTED -> new Message.Rejected(frame.getRejected().getReason());
            case FORWARD -> forward(frame.getForward());
            case FORWARD_CONNECT -> forwardConnect(frame.getForwardConnect());
            case CONNECT_REFUSED ->
                    new Message.ConnectRefused(frame.getConnectRefused().getSequence());
            case SYNC_REQUEST -> new Message.SyncRequest(frame.getSyncRequest().getSequence());
            case TREE_DIGEST ->
                    new Message.TreeDigest(
                            zxid(frame.getTreeDigest().getZxid()),
                            frame.getTreeDigest().getDigest(),
                            frame.getTreeDigest().getWrong(),
                            Math.max(1, frame.getTreeDigest().getVersion()));
            case SYNC_REPLY ->
                    new Message.SyncReply(
                            frame.getSyncReply().getSequence(),
                            zxid(frame.getSyncReply().getZxid()));
            case TOUCHED -> touched(frame.getTouched());
            case BODY_NOT_SET -> throw new IllegalArgumentException("a frame without a known body");
        };
    }

    /// {@return the frame's form of a hello}
    ///
    /// @param to whom the sender believes to talk to, 0 for unknown
    /// @param lastLink number of the last link to it, 0 for none
    static PeerProto.Hello hello(Hello hello, int to, long lastLink) {
        return PeerProto.Hello.newBuilder()
                .setProtocol(hello.protocol())
                .setEnsembleId(hello.ensembleId())
                .setMyid(hello.myid())
                .setIncarnation(hello.incarnation())
                .setStarts(hello.starts())
                .setState(diskState(hello.state()))
                .setBootstrapRecord(hello.bootstrapRecord())
                .setTo(to)
                .setLastLink(lastLink)
                .build();
    }

    static Hello hello(PeerProto.Hello hello) {
        return new Hello(
                hello.getProtocol(),
                hello.getEnsembleId(),
                hello.getMyid(),
                hello.getIncarnation(),
                hello.getStarts(),
                diskState(hello.getState()),
                hello.getBootstrapRecord());
    }

    private static PeerProto.Notification notification(Message.Notification m) {
        return PeerProto.Notification.newBuilder()
                .setState(
                        switch (m.state()) {
                            case LOOKING -> PeerProto.Notification.Office.LOOKING;
                            case FOLLOWING -> PeerProto.Notification.Office.FOLLOWING;
                            case PREPARING -> PeerProto.Notification.Office.PREPARING;
                            case LEADING -> PeerProto.Notification.Office.LEADING;
                        })
                .setLeader(m.leader())
                .setZxid(m.zxid())
                .setPeerEpoch(m.peerEpoch())
                .setRound(m.round())
                .setIdentity(diskState(m.identity()))
                .putAllSeen(m.seen())
                .setCommitted(m.committed())
                .build();
    }

    private static Message notification(PeerProto.Notification m) {
        Message.State state =
                switch (m.getState()) {
                    case LOOKING -> Message.State.LOOKING;
                    case FOLLOWING -> Message.State.FOLLOWING;
                    case PREPARING -> Message.State.PREPARING;
                    case LEADING -> Message.State.LEADING;
                    case OFFICE_UNKNOWN, UNRECOGNIZED ->
                            throw new IllegalArgumentException(
                                    "unknown state " + m.getStateValue() + " in a notification");
                };
        int leader = m.getLeader();
        require(
                leader >= 0 && leader <= dev.ensemble.server.model.Ensemble.MAX_MYID,
                "leader",
                leader);
        Map<Integer, Long> seen = new HashMap<>();
        m.getSeenMap().forEach((id, incarnation) -> seen.put(myid(id), incarnation));
        return new Message.Notification(
                state,
                leader,
                zxid(m.getZxid()),
                epoch(m.getPeerEpoch()),
                m.getRound(),
                diskState(m.getIdentity()),
                Map.copyOf(seen),
                zxid(m.getCommitted()));
    }

    private static Message ackEpoch(PeerProto.AckEpoch m) {
        require(
                m.getEpochEndsCount() <= Message.AckEpoch.MAX_EPOCH_ENDS,
                "number of epoch ends",
                m.getEpochEndsCount());
        m.getEpochEndsList().forEach(LinkCodec::zxid);
        return new Message.AckEpoch(
                m.getPromised(),
                epoch(m.getCurrentEpoch()),
                zxid(m.getLastZxid()),
                List.copyOf(m.getEpochEndsList()));
    }

    private Message proposal(PeerProto.Proposal m) {
        return new Message.Proposal(
                zxid(m.getZxid()), payloads.decode(m.getPayload().toByteArray()));
    }

    private static Message ping(PeerProto.Ping m) {
        return new Message.Ping(
                m.getRound(),
                zxid(m.getCommitted()),
                m.getSafeToStop(),
                List.copyOf(m.getReasonsList()),
                m.getRest());
    }

    private static PeerProto.Forward forward(Message.Forward m) {
        PeerProto.Forward.Builder forward =
                PeerProto.Forward.newBuilder()
                        .setSequence(m.sequence())
                        .setSession(m.session())
                        .setAttach(m.attach())
                        .setRequest(write(m.request()));
        m.identities().forEach(id -> forward.addIdentities(id(id)));
        return forward.build();
    }

    private static Message forward(PeerProto.Forward m) {
        List<Id> identities = new ArrayList<>(m.getIdentitiesCount());
        m.getIdentitiesList().forEach(id -> identities.add(id(id)));
        return new Message.Forward(
                m.getSequence(),
                m.getSession(),
                m.getAttach(),
                write(m.getRequest()),
                List.copyOf(identities));
    }

    private static Message forwardConnect(PeerProto.ForwardConnect m) {
        return new Message.ForwardConnect(
                m.getSequence(),
                m.getSession(),
                m.getTimeoutMillis(),
                m.getPassword().toByteArray(),
                m.getIsUpgrade());
    }

    private static Message touched(PeerProto.Touched m) {
        long[] sessions = new long[m.getSessionsCount()];
        for (int i = 0; i < sessions.length; i++) {
            sessions[i] = m.getSessions(i);
        }
        return new Message.Touched(sessions);
    }

    private static PeerProto.Write write(Request.Write request) {
        PeerProto.Write.Builder write = PeerProto.Write.newBuilder();
        switch (request) {
            case Request.Create r -> write.setCreate(create(r));
            case Request.Delete(String path, int version) -> {
                PeerProto.DeleteWrite.Builder b =
                        PeerProto.DeleteWrite.newBuilder().setVersion(version);
                ifPresent(path, b::setPath);
                write.setDelete(b);
            }
            case Request.SetData(String path, byte[] data, int version) -> {
                PeerProto.SetDataWrite.Builder b =
                        PeerProto.SetDataWrite.newBuilder().setVersion(version);
                ifPresent(path, b::setPath);
                ifPresent(data, bytes -> b.setData(wrap(bytes)));
                write.setSetData(b);
            }
            case Request.SetAcl(String path, List<Acl> acl, int version) -> {
                PeerProto.SetAclWrite.Builder b =
                        PeerProto.SetAclWrite.newBuilder().setVersion(version);
                ifPresent(path, b::setPath);
                ifPresent(acl, entries -> b.setAcl(acls(entries)));
                write.setSetAcl(b);
            }
            case Request.Check(String path, int version) -> {
                PeerProto.CheckWrite.Builder b =
                        PeerProto.CheckWrite.newBuilder().setVersion(version);
                ifPresent(path, b::setPath);
                write.setCheck(b);
            }
            case Request.Multi(List<Request.Write> parts) -> {
                PeerProto.MultiWrite.Builder b = PeerProto.MultiWrite.newBuilder();
                parts.forEach(part -> b.addParts(write(part)));
                write.setMulti(b);
            }
            case Request.CloseSession() ->
                    write.setCloseSession(PeerProto.CloseSessionWrite.getDefaultInstance());
            case Request.Reconfig r -> {
                PeerProto.ReconfigWrite.Builder b =
                        PeerProto.ReconfigWrite.newBuilder().setExpectedVersion(r.curConfigId());
                ifPresent(r.joiningServers(), b::setJoining);
                ifPresent(r.leavingServers(), b::setLeaving);
                ifPresent(r.newMembers(), b::setNewMembers);
                write.setReconfig(b);
            }
            case Request.MalformedWrite(int type) ->
                    write.setMalformed(PeerProto.MalformedWrite.newBuilder().setType(type));
        }
        return write.build();
    }

    private static PeerProto.CreateWrite create(Request.Create r) {
        PeerProto.CreateWrite.Builder b =
                PeerProto.CreateWrite.newBuilder()
                        .setOp(r.op().type())
                        .setFlags(r.flags())
                        .setTtl(r.ttl());
        ifPresent(r.path(), b::setPath);
        ifPresent(r.data(), bytes -> b.setData(wrap(bytes)));
        ifPresent(r.acl(), entries -> b.setAcl(acls(entries)));
        return b.build();
    }

    private static Request.Write write(PeerProto.Write write) {
        return switch (write.getKindCase()) {
            case CREATE -> create(write.getCreate());
            case DELETE -> {
                PeerProto.DeleteWrite w = write.getDelete();
                yield new Request.Delete(w.hasPath() ? w.getPath() : null, w.getVersion());
            }
            case SET_DATA -> {
                PeerProto.SetDataWrite w = write.getSetData();
                yield new Request.SetData(
                        w.hasPath() ? w.getPath() : null,
                        w.hasData() ? w.getData().toByteArray() : null,
                        w.getVersion());
            }
            case SET_ACL -> {
                PeerProto.SetAclWrite w = write.getSetAcl();
                yield new Request.SetAcl(
                        w.hasPath() ? w.getPath() : null,
                        w.hasAcl() ? acls(w.getAcl()) : null,
                        w.getVersion());
            }
            case CHECK -> {
                PeerProto.CheckWrite w = write.getCheck();
                yield new Request.Check(w.hasPath() ? w.getPath() : null, w.getVersion());
            }
            case MULTI -> {
                List<Request.Write> parts = new ArrayList<>(write.getMulti().getPartsCount());
                write.getMulti().getPartsList().forEach(part -> parts.add(write(part)));
                yield new Request.Multi(List.copyOf(parts));
            }
            case CLOSE_SESSION -> new Request.CloseSession();
            case RECONFIG -> {
                PeerProto.ReconfigWrite w = write.getReconfig();
                yield new Request.Reconfig(
                        w.hasJoining() ? w.getJoining() : null,
                        w.hasLeaving() ? w.getLeaving() : null,
                        w.hasNewMembers() ? w.getNewMembers() : null,
                        w.getExpectedVersion());
            }
            case MALFORMED -> new Request.MalformedWrite(write.getMalformed().getType());
            case KIND_NOT_SET -> throw new IllegalArgumentException("an unknown kind of write");
        };
    }

    private static Request.Write create(PeerProto.CreateWrite w) {
        return new Request.Create(
                createOp(w.getOp()),
                w.hasPath() ? w.getPath() : null,
                w.hasData() ? w.getData().toByteArray() : null,
                w.hasAcl() ? acls(w.getAcl()) : null,
                w.getFlags(),
                w.getTtl());
    }

    private static Request.CreateOp createOp(int type) {
        for (Request.CreateOp op : Request.CreateOp.values()) {
            if (op.type() == type) {
                return op;
            }
        }
        throw new IllegalArgumentException("a create with opcode " + type);
    }

    private static PeerProto.AclList acls(List<Acl> acl) {
        PeerProto.AclList.Builder list = PeerProto.AclList.newBuilder();
        acl.forEach(entry -> list.addEntries(acl(entry)));
        return list.build();
    }

    private static List<Acl> acls(PeerProto.AclList list) {
        List<Acl> acl = new ArrayList<>(list.getEntriesCount());
        list.getEntriesList().forEach(entry -> acl.add(acl(entry)));
        return List.copyOf(acl);
    }

    static PeerProto.Acl acl(Acl acl) {
        return PeerProto.Acl.newBuilder().setPerms(acl.perms()).setId(id(acl.id())).build();
    }

    static Acl acl(PeerProto.Acl acl) {
        return new Acl(acl.getPerms(), id(acl.getId()));
    }

    private static PeerProto.Id id(Id id) {
        return PeerProto.Id.newBuilder().setScheme(id.scheme()).setId(id.id()).build();
    }

    private static Id id(PeerProto.Id id) {
        return new Id(id.getScheme(), id.getId());
    }

    private static PeerProto.DiskState diskState(Identity.State state) {
        return switch (state) {
            case BLANK -> PeerProto.DiskState.BLANK;
            case FORMING -> PeerProto.DiskState.FORMING;
            case MEMBER -> PeerProto.DiskState.MEMBER;
        };
    }

    private static Identity.State diskState(PeerProto.DiskState state) {
        return switch (state) {
            case BLANK -> Identity.State.BLANK;
            case FORMING -> Identity.State.FORMING;
            case MEMBER -> Identity.State.MEMBER;
            case DISK_STATE_UNKNOWN, UNRECOGNIZED ->
                    throw new IllegalArgumentException("unknown state of a disk");
        };
    }

    /// Without a copy: nobody changes these bytes.
    static ByteString wrap(byte[] bytes) {
        return UnsafeByteOperations.unsafeWrap(bytes);
    }

    static <T> void ifPresent(@Nullable T value, Consumer<T> set) {
        if (value != null) {
            set.accept(value);
        }
    }

    static int myid(int value) {
        require(value >= 1 && value <= dev.ensemble.server.model.Ensemble.MAX_MYID, "myid", value);
        return value;
    }

    static long zxid(long value) {
        require(value >= 0, "zxid", value);
        return value;
    }

    static long epoch(long value) {
        require(value >= 0 && value <= Integer.MAX_VALUE, "epoch", value);
        return value;
    }

    private static void require(boolean holds, String what, long value) {
        if (!holds) {
            throw new IllegalArgumentException(what + " " + value + " is out of range");
        }
    }
}
