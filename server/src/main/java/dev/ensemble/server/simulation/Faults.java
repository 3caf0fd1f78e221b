package dev.ensemble.server.simulation;

import dev.ensemble.server.member.Input;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Groups;
import dev.ensemble.server.zab.Event;
import dev.ensemble.server.zab.Hello;
import dev.ensemble.server.zab.Message;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// Makes things go wrong, within what the design promises to withstand, and stops when told.
final class Faults {
    private final Simulation world;
    private final Schedule schedule;
    private final Chance chance;
    private boolean stopped;
    private long tickets;

    Faults(Simulation world) {
        this.world = world;
        this.schedule = world.schedule;
        this.chance = world.chance;
    }

    void begin() {
        schedule.after(
                chance.around(world.plan.faultNanos()),
                () -> {
                    if (!stopped) {
                        boolean formed = world.rules.formed();
                        if (formed || world.plan.faultsInFormation()) {
                            strike(next());
                        }
                        begin();
                    }
                });
    }

    /// From here on everything works.
    void stop() {
        stopped = true;
        world.network.openAll();
        world.network.mislead(0);
        world.network.reconnectAfter(20 * Schedule.MILLIS);
        for (SimulatedHost host : world.hosts()) {
            host.disk().slow(Schedule.MILLIS);
            full(host, false);
            SimulatedProcess process = host.process();
            if (process == null) {
                world.start(host);
            } else {
                process.resume();
            }
        }
        upgradeAll();
        restoreMembers();
    }

    private Fault next() {
        int sum = world.plan.weights().values().stream().mapToInt(Integer::intValue).sum();
        int at = sum == 0 ? 0 : chance.below(sum);
        for (var each : world.plan.weights().entrySet()) {
            at -= each.getValue();
            if (at < 0) {
                return each.getKey();
            }
        }
        return Fault.KILL;
    }

    private void strike(Fault fault) {
        SimulatedHost host = victim();
        world.trace.add(host.myid(), "FAULT", fault);
        switch (fault) {
            case KILL -> crash(host, false);
            case POWER_LOSS -> crash(host, true);
            case POWER_LOSS_OF_ALL -> {
                world.coverage.count(Coverage.Of.CRASHES_OF_ALL);
                world.hosts().forEach(each -> crash(each, true));
            }
            case PAUSE -> pause(host);
            case LINK_CUT -> {
                for (int other : others(host)) {
                    if (chance.happens(0.5)) {
                        world.coverage.count(Coverage.Of.LINKS_CUT);
                        world.network.cut(host.myid(), other);
                    }
                }
            }
            case ISOLATE -> part(List.of(host.myid()), false);
            case SPLIT -> part(someOf(world.size() / 2), false);
            case RANDOM_PAIRS -> pairs();
            case ONE_WAY -> part(List.of(host.myid()), true);
            case SLOW_LINK -> slowLinks(host);
            case SLOW_DISK -> {
                world.coverage.count(Coverage.Of.SLOW_DISKS);
                host.disk().slow(chance.between(30, 600) * Schedule.MILLIS);
                later(() -> host.disk().slow(world.plan.diskNanos()));
            }
            case DISK_LOST -> loseDisk(host);
            case CLOCK_JUMP -> {
                world.coverage.count(Coverage.Of.CLOCK_JUMPS);
                host.jump(chance.between(-100_000, 100_000));
            }
            case DISK_FULL -> fill(chance.happens(0.5) ? List.of(host) : world.hosts());
            case HAND_OVER -> handOver();
            case CHANGE_MEMBERS -> changeMembers();
        }
    }

    // What is asked of a leader. Tickets are even for a hand-over, odd for other members.

    private void handOver() {
        for (SimulatedHost host : world.hosts()) {
            SimulatedProcess process = host.process();
            if (process != null && process.leads()) {
                int to = chance.happens(0.5) ? 0 : 1 + chance.below(world.size());
                process.take(new Input.Transfer(2 * ++tickets, to, -1));
            }
        }
    }

    private void changeMembers() {
        // A lost disk that is not readmitted yet uses up what a smaller configuration cannot lose.
        for (Ensemble ensemble : world.rules.inForce()) {
            if (!ensemble.voters().stream().allMatch(id -> counts(id, ensemble))) {
                return;
            }
        }
        if (world.constitution.declared().groups().decide()
                || world.rules.ensemble().groups().decide()
                || (world.constitution.isMixed() && chance.happens(0.3))) {
            world.reconfigure(world.constitution.other());
            return;
        }
        var present = new ArrayList<>(world.rules.ensemble().members().values());
        Ensemble.Member any = chance.pick(world.declared());
        Ensemble.Member one = world.rules.ensemble().members().get(any.myid());
        var joining = new ArrayList<Ensemble.Member>();
        var leaving = new ArrayList<Integer>();
        if (one == null) {
            joining.add(chance.happens(0.3) ? observer(any) : any);
        } else if (chance.happens(0.5)) {
            leaving.add(any.myid());
        } else {
            joining.add(one.role() == Ensemble.Role.OBSERVER ? any : observer(any));
        }
        if (chance.happens(0.3) && present.size() > 2) {
            leaving.add(chance.pick(present).myid());
        }
        ask(joining, leaving);
    }

    private static Ensemble.Member observer(Ensemble.Member member) {
        return new Ensemble.Member(
                member.myid(),
                member.host(),
                member.port(),
                member.electionPort(),
                Ensemble.Role.OBSERVER,
                member.client(),
                0,
                member.more());
    }

    /// All shall be again what the files declare, one after the other.
    private void restoreMembers() {
        Ensemble present = world.rules.ensemble();
        if (world.rules.formed() && !world.constitution.isRestored(present)) {
            Ensemble declared = world.constitution.declared();
            if (declared.groups().decide() || present.groups().decide()) {
                world.reconfigure(towards(declared, present).text());
            } else {
                for (Ensemble.Member member : world.declared()) {
                    Ensemble.Member is = present.members().get(member.myid());
                    if (is == null || is.role() != member.role()) {
                        ask(List.of(member), List.of());
                    }
                }
            }
        }
        schedule.after(300 * Schedule.MILLIS, this::restoreMembers);
    }

    /// What is asked for on the way back. Where the leader alone votes, and shall weigh nothing or
    /// not vote at all, there is nobody to hand over to, and it takes two steps.
    private Ensemble towards(Ensemble declared, Ensemble present) {
        if (chance.happens(0.7)) {
            return declared;
        }
        Map<Integer, Ensemble.Member> members = new TreeMap<>(declared.members());
        for (Ensemble.Member member : present.members().values()) {
            if (member.role() == Ensemble.Role.PARTICIPANT) {
                members.put(member.myid(), member);
            }
        }
        return declared.with(members, Groups.NONE);
    }

    private void ask(List<Ensemble.Member> joining, List<Integer> leaving) {
        for (SimulatedHost host : world.hosts()) {
            SimulatedProcess process = host.process();
            if (process != null && process.leads()) {
                long version = chance.happens(0.5) ? -1 : world.rules.ensemble().version();
                process.take(new Input.ChangeMembers(2 * ++tickets + 1, joining, leaving, version));
            }
        }
    }

    /// Leaders more often than others: what happens to them matters most.
    private SimulatedHost victim() {
        if (chance.happens(0.4)) {
            for (SimulatedHost host : world.hosts()) {
                SimulatedProcess process = host.process();
                if (process != null && process.leads()) {
                    return host;
                }
            }
        }
        return world.hosts().get(chance.below(world.size()));
    }

    private List<Integer> others(SimulatedHost host) {
        return world.hosts().stream()
                .map(SimulatedHost::myid)
                .filter(id -> id != host.myid())
                .toList();
    }

    private List<Integer> someOf(int count) {
        var ids = new ArrayList<Integer>();
        world.hosts().forEach(host -> ids.add(host.myid()));
        while (ids.size() > Math.max(1, count)) {
            int out = chance.pick(ids);
            ids.removeIf(id -> id == out);
        }
        return ids;
    }

    private void later(Runnable undo) {
        schedule.after(
                chance.around(2 * Schedule.SECONDS) + 10 * Schedule.MILLIS,
                () -> {
                    if (!stopped) {
                        undo.run();
                    }
                });
    }

    // Crashes.

    private void crash(SimulatedHost host, boolean power) {
        SimulatedProcess process = host.process();
        if (process == null) {
            return;
        }
        world.coverage.count(power ? Coverage.Of.POWER_LOSSES : Coverage.Of.CRASHES);
        if (process.leads()) {
            world.coverage.count(Coverage.Of.LEADER_CRASHES);
        }
        if (!world.rules.formed()) {
            world.coverage.count(Coverage.Of.FORMATIONS_WITH_CRASHES);
        }
        world.trace.add(host.myid(), "CRASH", power ? "power loss" : "kill");
        host.run(null);
        process.die();
        host.disk().crash(power);
        world.network.died(process, power && chance.happens(0.5));
        long downNanos = chance.happens(0.5) ? 20 * Schedule.MILLIS : 2 * Schedule.SECONDS;
        schedule.after(chance.around(downNanos), () -> restart(host));
    }

    private void restart(SimulatedHost host) {
        if (host.process() == null) {
            if (stopped || chance.happens(0.5)) {
                upgrade(host);
            }
            world.start(host);
        }
    }

    private void upgrade(SimulatedHost host) {
        if (world.constitution.upgrade(host.myid())) {
            world.trace.add(host.myid(), "upgrade", "");
            world.coverage.count(Coverage.Of.MEMBERS_UPGRADED);
        }
    }

    /// Who is of the release before is replaced, one after the other.
    private void upgradeAll() {
        long after = 0;
        for (SimulatedHost host : world.hosts()) {
            if (world.constitution.protocol(host.myid()) < Hello.PROTOCOL) {
                after += 500 * Schedule.MILLIS;
                schedule.after(
                        after,
                        () -> {
                            crash(host, false);
                            restart(host);
                        });
            }
        }
    }

    private void loseDisk(SimulatedHost host) {
        if (world.constitution.declared().voters().equals(Set.of(host.myid()))) {
            // Its file says that nobody else has to agree to an ensemble. Where voters were added
            // it must say bootstrap=bootstrapped before a disk may get lost.
            return;
        }
        if (world.constitution.isAskedFor()) {
            // What a client asks for takes a while. Nothing is promised if a disk is lost by then
            // without which the next members have no quorum.
            return;
        }
        // A quorum of disks must survive in every configuration that may be in force, or nothing is
        // promised.
        boolean formed = world.rules.formed();
        for (Ensemble ensemble : world.rules.inForce()) {
            Set<Integer> left =
                    ensemble.voters().stream()
                            .filter(id -> id != host.myid() && counts(id, ensemble))
                            .collect(Collectors.toSet());
            if (!formed
                    || !counts(host.myid(), ensemble)
                    || !Constitution.isQuorum(ensemble, left)) {
                return;
            }
        }
        crash(host, true);
        world.coverage.count(Coverage.Of.DISKS_LOST);
        host.disk().lose(world.blankIdentity(host.myid(), host.disk().identity()));
    }

    /// {@return whether this member's disk knows that it is part of a quorum}
    ///
    /// While a change of disks is not known to be committed, the members need a quorum with the old
    /// one too.
    private boolean counts(int myid, Ensemble ensemble) {
        SimulatedDisk disk = world.host(myid).disk();
        return Rules.isVoter(ensemble, myid, disk.identity().incarnation())
                && disk.knownCommitted() >= world.rules.ensemble().version();
    }

    private void fill(List<SimulatedHost> some) {
        for (SimulatedHost host : some) {
            if (!host.disk().isFull()) {
                world.coverage.count(Coverage.Of.DISKS_FULL);
                full(host, true);
            }
        }
        schedule.after(
                chance.between(200, 12_000) * Schedule.MILLIS,
                () -> some.forEach(host -> full(host, false)));
    }

    private void full(SimulatedHost host, boolean full) {
        host.disk().full(full);
        SimulatedProcess process = host.process();
        if (process != null) {
            process.take(new Event.Space(full));
        }
    }

    private void pause(SimulatedHost host) {
        SimulatedProcess process = host.process();
        if (process != null && !process.isPaused()) {
            world.coverage.count(Coverage.Of.PAUSES);
            process.pause();
            later(process::resume);
        }
    }

    /// {@return whether this process dies instead of sending this message}
    boolean diesAt(SimulatedProcess process, Message message) {
        boolean matters =
                switch (message) {
                    case Message.LeaderInfo _,
                            Message.AckEpoch _,
                            Message.Diff _,
                            Message.Trunc _,
                            Message.Snap _,
                            Message.NewLeader _,
                            Message.AckNewLeader _,
                            Message.UpToDate _ ->
                            true;
                    default -> false;
                };
        if (!matters || stopped || !chance.happens(world.plan.deathAtPoint())) {
            return false;
        }
        world.coverage.count(Coverage.Of.CRASHES_AT_A_POINT);
        SimulatedHost host = world.host(process.myid());
        boolean power = chance.happens(0.5);
        if (chance.happens(0.5)) {
            crash(host, power);
            return true;
        }
        schedule.after(
                0,
                () -> {
                    if (host.process() == process) {
                        crash(host, power);
                    }
                });
        return false;
    }

    /// {@return whether a process dies between the end of a batch on disk and the news of it}
    boolean diesAfterBatch(SimulatedProcess process) {
        SimulatedHost host = world.host(process.myid());
        if (stopped
                || host.process() != process
                || !chance.happens(world.plan.deathAtPoint() / 10)) {
            return false;
        }
        world.coverage.count(Coverage.Of.CRASHES_AT_A_POINT);
        crash(host, chance.happens(0.5));
        return true;
    }

    boolean breaksSnapshot() {
        return !stopped && chance.happens(0.1);
    }

    // The network.

    private void part(List<Integer> some, boolean oneWay) {
        world.coverage.count(oneWay ? Coverage.Of.ONE_WAY_PARTITIONS : Coverage.Of.PARTITIONS);
        boolean outwards = chance.happens(0.5);
        var blocked = new ArrayList<int[]>();
        for (int inside : some) {
            for (SimulatedHost host : world.hosts()) {
                int outside = host.myid();
                if (!some.contains(outside)) {
                    if (!oneWay || outwards) {
                        blocked.add(new int[] {inside, outside});
                    }
                    if (!oneWay || !outwards) {
                        blocked.add(new int[] {outside, inside});
                    }
                }
            }
        }
        block(blocked);
    }

    private void pairs() {
        world.coverage.count(Coverage.Of.PARTITIONS);
        var blocked = new ArrayList<int[]>();
        for (SimulatedHost from : world.hosts()) {
            for (SimulatedHost to : world.hosts()) {
                if (from.myid() < to.myid() && chance.happens(0.4)) {
                    blocked.add(new int[] {from.myid(), to.myid()});
                    blocked.add(new int[] {to.myid(), from.myid()});
                }
            }
        }
        block(blocked);
    }

    private void block(List<int[]> blocked) {
        boolean broken = chance.happens(0.3);
        for (int[] way : blocked) {
            world.trace.add(way[0], "block", "to " + way[1]);
            world.network.block(way[0], way[1]);
            if (broken) {
                world.network.cut(way[0], way[1]);
            }
        }
        later(() -> blocked.forEach(way -> world.network.open(way[0], way[1])));
    }

    private void slowLinks(SimulatedHost host) {
        world.coverage.count(Coverage.Of.SLOW_LINKS);
        long nanos = chance.between(10, 500) * Schedule.MILLIS;
        List<Integer> others = others(host);
        others.forEach(other -> {
            world.network.slow(host.myid(), other, nanos);
            world.network.slow(other, host.myid(), nanos);
        });
        later(() ->
                others.forEach(other -> {
                    world.network.slow(host.myid(), other, 0);
                    world.network.slow(other, host.myid(), 0);
                }));
    }
}
