package dev.ensemble.server.node;

/// Why a member's process ended: ZooKeeper's numbers, so that whoever watches the process knows
/// them already.
public enum ExitCode {
    NORMAL(0),
    UNEXPECTED_ERROR(1),
    /// Bad arguments or a configuration that cannot work.
    INVALID_INVOCATION(2),
    DATA_DIR_INACCESSIBLE(3),
    ADMIN_SERVER_FAILED(4),
    /// The port for other members, or for clients, is taken or not ours.
    CANNOT_BIND(14);

    private final int number;

    ExitCode(int number) {
        this.number = number;
    }

    public int number() {
        return number;
    }
}
