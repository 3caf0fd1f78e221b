package dev.ensemble.server.simulation;

/// What goes wrong.
enum Fault {
    /// `kill -9`: what was written stays, links break at once.
    KILL,
    /// The machine: unsynced writes are lost or torn, and nobody is told.
    POWER_LOSS,
    /// All machines at once.
    POWER_LOSS_OF_ALL,
    /// SIGSTOP for a while.
    PAUSE,
    LINK_CUT,
    /// One member is cut off from all others.
    ISOLATE,
    /// Two sides that do not hear each other.
    SPLIT,
    /// Any pairs, whatever shape they make.
    RANDOM_PAIRS,
    /// What one member says gets nowhere, and it hears everything.
    ONE_WAY,
    SLOW_LINK,
    SLOW_DISK,
    DISK_LOST,
    CLOCK_JUMP,
    /// The disks of one member or of all have too little space, for a while.
    DISK_FULL,
    /// No fault, but as hard to get right: the leader is asked to hand over.
    HAND_OVER,
    /// Some member is taken out, put back, promoted or demoted.
    CHANGE_MEMBERS
}
