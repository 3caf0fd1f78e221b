package dev.ensemble.server.simulation;

import org.jspecify.annotations.Nullable;

/// A machine that a member runs on: its disk, its clock, and the process, if one runs.
final class SimulatedHost {
    private final int myid;
    private final SimulatedDisk disk;
    private @Nullable SimulatedProcess process;
    private long wallSkewMillis;

    SimulatedHost(int myid, SimulatedDisk disk) {
        this.myid = myid;
        this.disk = disk;
    }

    int myid() {
        return myid;
    }

    SimulatedDisk disk() {
        return disk;
    }

    @Nullable SimulatedProcess process() {
        return process;
    }

    void run(@Nullable SimulatedProcess next) {
        process = next;
    }

    /// {@return how far its wall clock is from the truth}
    long wallSkewMillis() {
        return wallSkewMillis;
    }

    void jump(long millis) {
        wallSkewMillis += millis;
    }
}
