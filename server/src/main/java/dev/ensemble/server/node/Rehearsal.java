package dev.ensemble.server.node;

import com.google.protobuf.InvalidProtocolBufferException;

import dev.ensemble.server.member.Input;
import dev.ensemble.server.member.Member;
import dev.ensemble.server.member.MemberOptions;
import dev.ensemble.server.member.Output;
import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.AclRules;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Identity;
import dev.ensemble.server.model.Payload;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Result;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.net.LinkCodec;
import dev.ensemble.server.proto.PeerProto;
import dev.ensemble.server.tree.Preparation;
import dev.ensemble.server.tree.Tree;
import dev.ensemble.server.zab.DiskOp;
import dev.ensemble.server.zab.Effect;
import dev.ensemble.server.zab.Event;
import dev.ensemble.server.zab.Hello;
import dev.ensemble.server.zab.History;
import dev.ensemble.server.zab.Message;
import dev.ensemble.server.zab.PeerConfig;
import dev.ensemble.server.zab.Recovered;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Changes of the leader, played by three members in memory, for the sake of the virtual machine.
///
/// A process that has been following for months has never led. What it has to do when its leader is
/// killed would be loaded, verified and interpreted for the first time while all clients wait: that
/// was measured to cost more than the change itself. The members are the real ones, which know no
/// thread, clock or file, and what they say to each other goes through the real codec.
///
/// Belongs to the thread that runs it. Nothing of it is shared with the member of this process.
final class Rehearsal implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Rehearsal.class);
    private static final int MEMBERS = 3;
    private static final int CHANGES = 60;
    private static final long MILLIS = 1_000_000;
    private static final long TICK_NANOS = 25 * MILLIS;
    private static final long TIMEOUT_NANOS = 400 * MILLIS;

    /// What a turn may not need. More means that something is wrong, and the rehearsal ends.
    private static final int PATIENCE = 200;

    private final AclRules rules;
    private final Payload.Codec payloads;
    private final LinkCodec codec;
    private final List<Actor> actors = new ArrayList<>();
    private long now = MILLIS;
    private long requests;

    /// @param rules the member's own, of which only what needs no state is asked
    Rehearsal(AclRules rules, Payload.Codec payloads) {
        this.rules = rules;
        this.payloads = payloads;
        this.codec = new LinkCodec(payloads);
    }

    /// One of the three.
    private static final class Actor {
        final int myid;
        final Member member;
        final ArrayDeque<Input> arrived = new ArrayDeque<>();
        Identity.State state = Identity.State.BLANK;
        @Nullable Session session;
        long answered;

        /// Nothing gets through to it, or from it.
        boolean cutOff;

        Actor(int myid, Member member) {
            this.myid = myid;
            this.member = member;
        }
    }

    @Override
    public void run() {
        play();
    }

    /// {@return whether it came to its end}
    boolean play() {
        long begin = System.nanoTime();
        try {
            playAll();
            LOG.atDebug()
                    .addKeyValue("millis", (System.nanoTime() - begin) / MILLIS)
                    .log("changes of the leader rehearsed");
            return true;
        } catch (RuntimeException | InvalidProtocolBufferException e) {
            LOG.atWarn().setCause(e).log("the rehearsal of changes of the leader has failed");
            return false;
        }
    }

    private void playAll() throws InvalidProtocolBufferException {
        List<Ensemble.Member> voters = new ArrayList<>();
        for (int id = 1; id <= MEMBERS; id++) {
            voters.add(new Ensemble.Member(id, "m" + id, 1, 1, Ensemble.Role.PARTICIPANT, null, 0));
        }
        Ensemble declared = Ensemble.declared("", voters);
        for (int id = 1; id <= MEMBERS; id++) {
            actors.add(new Actor(id, member(id, declared)));
        }
        actors.forEach(actor -> actor.cutOff = true);
        actors.forEach(this::link);
        until(this::allServe);
        for (Actor actor : actors) {
            actor.arrived.add(new Input.Connect(actor.myid, 0, 30_000, new byte[16]));
            until(() -> actor.session != null);
        }
        for (int change = 0; change < CHANGES; change++) {
            writeAll();
            Actor leader = leader();
            if (change % 2 == 0) {
                cutOff(leader);
                writeAll();
                link(leader);
            } else {
                leader.arrived.add(new Input.Transfer(change, 0, -1));
                writeAll();
                until(() -> !leads(leader));
            }
            until(this::allServe);
        }
    }

    private Member member(int id, Ensemble declared) {
        return new Member(
                new PeerConfig(
                        id,
                        declared,
                        PeerConfig.Bootstrap.UNANIMOUS,
                        "rehearsed",
                        TIMEOUT_NANOS / 4,
                        TIMEOUT_NANOS,
                        20 * TIMEOUT_NANOS,
                        MILLIS,
                        Hello.PROTOCOL),
                new Recovered(
                        new Identity(Identity.State.BLANK, "", id, id, 1, Map.of()),
                        0,
                        0,
                        0,
                        Ensemble.declared("", List.of()),
                        List.of(),
                        0),
                Tree.initial(),
                new History(0, 1000, 1 << 20),
                new Preparation(rules, new Preparation.Options(false, false, false, 1)),
                payloads,
                MemberOptions.DEFAULT,
                20 * TICK_NANOS,
                now);
    }

    private void link(Actor actor) {
        actor.cutOff = false;
        for (Actor other : actors) {
            if (other != actor && !other.cutOff) {
                other.arrived.add(linkUp(actor));
                actor.arrived.add(linkUp(other));
            }
        }
    }

    private static Input linkUp(Actor from) {
        return new Input.OfPeer(new Event.LinkUp(from.myid, hello(from)));
    }

    private static Hello hello(Actor actor) {
        return new Hello(Hello.PROTOCOL, "", actor.myid, actor.myid, 1, actor.state, "rehearsed");
    }

    private void cutOff(Actor actor) {
        actor.cutOff = true;
        for (Actor other : actors) {
            if (other != actor) {
                other.arrived.add(new Input.OfPeer(new Event.LinkDown(actor.myid)));
                actor.arrived.add(new Input.OfPeer(new Event.LinkDown(other.myid)));
            }
        }
    }

    /// Each of them that is reached writes once, and has its answer.
    private void writeAll() throws InvalidProtocolBufferException {
        List<Actor> writing = actors.stream().filter(actor -> !actor.cutOff).toList();
        long number = ++requests;
        for (Actor actor : writing) {
            Session session = Objects.requireNonNull(actor.session);
            Request.Write request =
                    number == 1
                            ? new Request.Create(
                                    Request.CreateOp.CREATE,
                                    "/" + actor.myid,
                                    new byte[100],
                                    Acl.OPEN,
                                    0,
                                    0)
                            : new Request.SetData("/" + actor.myid, new byte[100], -1);
            actor.arrived.add(
                    new Input.Write(
                            actor.myid,
                            number,
                            session.id(),
                            session.attach(),
                            request,
                            List.of(Id.ANYONE)));
        }
        until(() -> writing.stream().allMatch(actor -> actor.answered == number));
    }

    private interface Condition {
        boolean holds();
    }

    private void until(Condition condition) throws InvalidProtocolBufferException {
        for (int turn = 0; !condition.holds(); turn++) {
            if (turn == PATIENCE) {
                throw new IllegalStateException("nothing happens in " + PATIENCE + " ticks");
            }
            now += TICK_NANOS;
            for (Actor actor : actors) {
                actor.arrived.add(new Input.OfPeer(new Event.Tick()));
            }
            boolean busy = true;
            while (busy) {
                busy = false;
                for (Actor actor : actors) {
                    Input input = actor.arrived.poll();
                    if (input != null) {
                        busy = true;
                        step(actor, input);
                    }
                }
            }
        }
    }

    private boolean allServe() {
        return actors.stream().allMatch(actor -> actor.member.isServing())
                && actors.stream().anyMatch(Rehearsal::leads);
    }

    private Actor leader() {
        return actors.stream().filter(Rehearsal::leads).findFirst().orElseThrow();
    }

    private static boolean leads(Actor actor) {
        return actor.member.peer().nextZxid() != 0;
    }

    private void step(Actor actor, Input input) throws InvalidProtocolBufferException {
        List<Output> outputs = new ArrayList<>();
        actor.member.step(input, now, 0, outputs::add);
        for (Output output : outputs) {
            switch (output) {
                case Output.OfPeer(Effect.Send(int to, long epoch, Message message)) ->
                        send(actor, actors.get(to - 1), epoch, message);
                case Output.OfPeer(Effect.Disk(long ticket, DiskOp op)) -> {
                    if (op instanceof DiskOp.StoreIdentity(Identity identity)) {
                        actor.state = identity.state();
                    }
                    actor.arrived.add(new Input.OfPeer(new Event.Persisted(ticket)));
                }
                case Output.Published published when published.connection() == actor.myid -> {
                    if (published.applied().result() instanceof Result.Attached(Session session)) {
                        actor.session = session;
                    }
                    actor.answered = published.number();
                }
                default -> {} // Of no member here does anybody read.
            }
        }
    }

    private void send(Actor from, Actor to, long epoch, Message message)
            throws InvalidProtocolBufferException {
        byte[] bytes = codec.encode(from.myid, epoch, message).toByteArray();
        PeerProto.Frame frame = PeerProto.Frame.parseFrom(bytes);
        Message decoded = codec.decode(frame);
        if (decoded != null && !from.cutOff && !to.cutOff) {
            to.arrived.add(
                    new Input.OfPeer(
                            new Event.Received(
                                    from.myid, frame.getIncarnation(), frame.getEpoch(), decoded)));
        }
    }
}
