package dev.ensemble.server.simulation;

import dev.ensemble.server.zab.Event;
import dev.ensemble.server.zab.Hello;
import dev.ensemble.server.zab.Message;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/// Links between members: one for each pair, FIFO both ways, that break at any time and come back.
///
/// As with TCP, a direction that is cut off loses nothing by itself: frames wait, and arrive late
/// if it opens again before anybody gives the link up. What is in flight when a link breaks is
/// lost, from some point on.
final class SimulatedNetwork {
    private sealed interface Frame {
        record OfHello(Hello hello) implements Frame {}

        record Of(long epoch, Message message) implements Frame {}
    }

    /// One end of one link.
    private static final class End {
        final Link link;
        final SimulatedProcess process;
        final long incarnation;
        boolean up;
        boolean closed;

        /// Frames to this end that wait since the direction is cut off.
        final ArrayDeque<Frame> stalled = new ArrayDeque<>();

        long lastArrivalNanos;

        End(Link link, SimulatedProcess process) {
            this.link = link;
            this.process = process;
            this.incarnation = process.hello().incarnation();
        }
    }

    private static final class Link {
        final Pair pair;
        final End[] ends;
        boolean cut;

        Link(Pair pair, SimulatedProcess low, SimulatedProcess high) {
            this.pair = pair;
            this.ends = new End[] {new End(this, low), new End(this, high)};
        }

        boolean isWhole() {
            return !cut && !ends[0].closed && !ends[1].closed;
        }
    }

    /// What there is between two members.
    private static final class Pair {
        final int low;
        final int high;
        @Nullable Link link;

        /// The ends that are up, as the members believe.
        final @Nullable End[] known = new End[2];

        boolean dialing;

        /// Whether nothing gets through to the lower, the higher member.
        final boolean[] blocked = new boolean[2];

        final long[] slowNanos = new long[2];

        Pair(int low, int high) {
            this.low = low;
            this.high = high;
        }

        int side(int myid) {
            return myid == low ? 0 : 1;
        }
    }

    private final Schedule schedule;
    private final Chance chance;
    private final Trace trace;
    private final Coverage coverage;
    private final Sabotage sabotage;
    private final Lies lies;
    private final List<SimulatedHost> hosts;
    private final List<Pair> pairs = new ArrayList<>();
    private final Pair[][] byIds;
    private final long meanLatencyNanos;
    private long reconnectNanos = 50 * Schedule.MILLIS;
    private double misleading;
    private @Nullable Frame held;

    SimulatedNetwork(
            List<SimulatedHost> hosts,
            long meanLatencyNanos,
            Schedule schedule,
            Chance chance,
            Trace trace,
            Coverage coverage,
            Sabotage sabotage) {
        this.hosts = hosts;
        this.meanLatencyNanos = meanLatencyNanos;
        this.schedule = schedule;
        this.chance = chance;
        this.trace = trace;
        this.coverage = coverage;
        this.sabotage = sabotage;
        this.lies = new Lies(sabotage, chance);
        int most = hosts.size() + 1;
        byIds = new Pair[most][most];
        for (SimulatedHost low : hosts) {
            for (SimulatedHost high : hosts) {
                if (low.myid() < high.myid()) {
                    var pair = new Pair(low.myid(), high.myid());
                    pairs.add(pair);
                    byIds[low.myid()][high.myid()] = pair;
                    byIds[high.myid()][low.myid()] = pair;
                }
            }
        }
    }

    /// How long members wait before they dial again.
    void reconnectAfter(long meanNanos) {
        reconnectNanos = meanNanos;
    }

    /// @param probability that a vote of an election says something else
    void mislead(double probability) {
        misleading = probability;
    }

    // Dialing.

    /// A process began: links to it come up after a while.
    void started(int myid) {
        for (Pair pair : pairs) {
            if (pair.low == myid || pair.high == myid) {
                dialLater(pair);
            }
        }
    }

    private void dialLater(Pair pair) {
        if (!pair.dialing) {
            pair.dialing = true;
            schedule.after(chance.around(reconnectNanos), () -> dial(pair));
        }
    }

    private void dial(Pair pair) {
        pair.dialing = false;
        if (pair.link != null && pair.link.isWhole()) {
            return;
        }
        SimulatedProcess low = host(pair.low).process();
        SimulatedProcess high = host(pair.high).process();
        if (low == null || high == null) {
            return;
        }
        if (pair.blocked[0] || pair.blocked[1] || low.isPaused() || high.isPaused()) {
            dialLater(pair);
            return;
        }
        var link = new Link(pair, low, high);
        pair.link = link;
        for (int side = 0; side < 2; side++) {
            Hello hello = link.ends[1 - side].process.hello();
            int to = side;
            arriveLater(link, side, () -> arrive(link, to, new Frame.OfHello(hello)));
        }
    }

    // Frames.

    /// A process says something to a member, if there is a link.
    void send(SimulatedProcess from, int to, long epoch, Message message) {
        Pair pair = pair(from.myid(), to);
        Link link = pair.link;
        int side = pair.side(from.myid());
        if (link == null
                || link.cut
                || link.ends[side].process != from
                || !link.ends[side].up
                || link.ends[side].closed) {
            return;
        }
        post(link, 1 - side, sabotaged(new Frame.Of(epoch, misled(message))));
    }

    /// Makes some votes propose another leader, with more than it has: whatever a quorum elects,
    /// discovery must refuse a leader whose history is not the newest.
    private Message misled(Message message) {
        if (misleading == 0
                || !(message instanceof Message.Notification said)
                || said.state() != Message.State.LOOKING
                || said.leader() == 0
                || !chance.happens(misleading)) {
            return message;
        }
        coverage.count(Coverage.Of.MISLEADING_VOTES);
        return new Message.Notification(
                said.state(),
                1 + chance.below(hosts.size()),
                said.zxid() + 1000,
                said.peerEpoch(),
                said.round(),
                said.identity(),
                said.seen(),
                said.committed());
    }

    /// {@return the frame to send instead, null for none}
    private @Nullable Frame sabotaged(Frame.Of frame) {
        if (sabotage == Sabotage.MESSAGES_LOST && chance.happens(0.002)) {
            return null;
        }
        if (sabotage == Sabotage.MESSAGES_SWAPPED && held == null && chance.happens(0.01)) {
            held = frame;
            return null;
        }
        return frame;
    }

    private void post(Link link, int side, @Nullable Frame frame) {
        if (frame == null) {
            return;
        }
        if (link.pair.blocked[side] || !link.ends[side].stalled.isEmpty()) {
            link.ends[side].stalled.add(frame);
        } else {
            arriveLater(link, side, () -> arrive(link, side, frame));
        }
        Frame swapped = held;
        if (swapped != null && frame instanceof Frame.Of) {
            held = null;
            post(link, side, swapped);
        }
    }

    private void arriveLater(Link link, int side, Runnable arrival) {
        End end = link.ends[side];
        long latency = 1 + chance.around(meanLatencyNanos) + link.pair.slowNanos[side];
        long at = Math.max(end.lastArrivalNanos + 1, schedule.nowNanos() + latency);
        end.lastArrivalNanos = at;
        schedule.at(at, arrival);
    }

    private void arrive(Link link, int side, Frame frame) {
        End end = link.ends[side];
        if (end.closed || end.process.isDead()) {
            return;
        }
        End other = link.ends[1 - side];
        int from = other.process.myid();
        switch (frame) {
            case Frame.OfHello(Hello hello) -> {
                replace(link.pair, side);
                link.pair.known[side] = end;
                end.up = true;
                end.process.take(new Event.LinkUp(from, lies.altered(hello)));
            }
            case Frame.Of(long epoch, Message message) -> {
                if (end.up) {
                    Message said = lies.altered(from, message);
                    var received = new Event.Received(from, other.incarnation, epoch, said);
                    end.process.take(received);
                    if (lies.doubles(message)) {
                        end.process.take(received);
                    }
                    if (sabotage == Sabotage.EPOCH_FORGED
                            && message instanceof Message.AckNewLeader) {
                        forge(end.process, from, other.incarnation);
                    }
                }
            }
        }
    }

    /// An ack of an earlier epoch keeps arriving, as one of the epoch at hand.
    private void forge(SimulatedProcess to, int from, long incarnation) {
        for (int i = 1; i < 400; i++) {
            schedule.after(
                    i * 10L * Schedule.MILLIS,
                    () ->
                            to.take(
                                    new Event.Received(
                                            from,
                                            incarnation,
                                            to.epoch(),
                                            new Message.AckNewLeader())));
        }
    }

    // Breaking.

    /// A link breaks, and both ends hear of it, each at its own time.
    void cut(int a, int b) {
        Link link = pair(a, b).link;
        if (link != null && link.isWhole()) {
            trace.add(a, "cut", "link to " + b);
            cut(link);
        }
    }

    private void cut(Link link) {
        link.cut = true;
        for (int side = 0; side < 2; side++) {
            int end = side;
            schedule.after(chance.around(5 * Schedule.MILLIS), () -> tellDown(link, end));
        }
        dialLater(link.pair);
    }

    private void tellDown(Link link, int side) {
        End end = link.ends[side];
        if (!end.closed) {
            end.closed = true;
            end.stalled.clear();
            forget(link.pair, side, end);
        }
    }

    /// The member on this side hears that the link which it knows is gone, if it is this one.
    private static void forget(Pair pair, int side, End end) {
        if (pair.known[side] == end) {
            pair.known[side] = null;
            if (!end.process.isDead()) {
                end.process.take(new Event.LinkDown(side == 0 ? pair.high : pair.low));
            }
        }
    }

    /// A new link takes the place of one that its end may still believe in. The other end of that
    /// one is told: of two that were opened at once the last to speak stays, and if it was an old
    /// one, both begin anew.
    private void replace(Pair pair, int side) {
        End older = pair.known[side];
        if (older != null) {
            older.closed = true;
            older.stalled.clear();
            forget(pair, side, older);
            hearOfClose(older.link, 1 - side);
            dialLater(pair);
        }
    }

    /// A member closes its end. The other hears of it, unless nothing gets there.
    void disconnect(SimulatedProcess from, int to) {
        Pair pair = pair(from.myid(), to);
        Link link = pair.link;
        int side = pair.side(from.myid());
        if (link == null || link.ends[side].process != from || link.ends[side].closed) {
            return;
        }
        End end = link.ends[side];
        end.closed = true;
        end.stalled.clear();
        schedule.after(chance.between(0, Schedule.MILLIS), () -> forget(pair, side, end));
        hearOfClose(link, 1 - side);
        dialLater(pair);
    }

    private void hearOfClose(Link link, int side) {
        if (!link.pair.blocked[side]) {
            arriveLater(link, side, () -> tellDown(link, side));
        } else {
            schedule.after(5 * Schedule.SECONDS, () -> tellDown(link, side));
        }
    }

    /// A process is gone.
    ///
    /// @param silently as when its machine loses power: nobody is told
    void died(SimulatedProcess process, boolean silently) {
        for (Pair pair : pairs) {
            Link link = pair.link;
            if (link == null || (pair.low != process.myid() && pair.high != process.myid())) {
                continue;
            }
            int side = pair.side(process.myid());
            link.ends[side].closed = true;
            if (silently) {
                schedule.after(5 * Schedule.SECONDS, () -> tellDown(link, 1 - side));
            } else {
                hearOfClose(link, 1 - side);
            }
        }
    }

    // Faults.

    /// Nothing gets from one member to another, until [#open].
    void block(int from, int to) {
        Pair pair = pair(from, to);
        pair.blocked[pair.side(to)] = true;
    }

    void slow(int from, int to, long nanos) {
        Pair pair = pair(from, to);
        pair.slowNanos[pair.side(to)] = nanos;
    }

    void open(int from, int to) {
        Pair pair = pair(from, to);
        int side = pair.side(to);
        pair.blocked[side] = false;
        Link link = pair.link;
        if (link != null) {
            List<Frame> waiting = List.copyOf(link.ends[side].stalled);
            link.ends[side].stalled.clear();
            waiting.forEach(frame -> arriveLater(link, side, () -> arrive(link, side, frame)));
        }
        if (link == null || !link.isWhole()) {
            dialLater(pair);
        }
    }

    /// Ends every partition.
    void openAll() {
        for (Pair pair : pairs) {
            pair.slowNanos[0] = 0;
            pair.slowNanos[1] = 0;
            open(pair.low, pair.high);
            open(pair.high, pair.low);
        }
    }

    /// {@return whether a second connection between these members works now}
    boolean reaches(int a, int b) {
        Pair pair = pair(a, b);
        return !pair.blocked[0] && !pair.blocked[1];
    }

    private SimulatedHost host(int myid) {
        return hosts.get(myid - 1);
    }

    private Pair pair(int a, int b) {
        return byIds[a][b];
    }
}
