package dev.ensemble.server.wire;

/// Bytes that are not what the protocol says should be there. Costs at most the connection.
public final class MalformedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public MalformedException(String message) {
        // No stack trace: whoever sends garbage decides how often this is made.
        super(message, null, false, false);
    }
}
