package dev.ensemble.server.tree;

import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Request.CreateOp;

import org.jspecify.annotations.Nullable;

/// What a create makes, by its opcode and its flags (`client-protocol` sections 5.1 and 10).
record CreateMode(CreateOp op, int flags) {
    private static final int EPHEMERAL = 1;
    private static final int SEQUENTIAL = 2;
    private static final int EPHEMERAL_SEQUENTIAL = 3;
    private static final int CONTAINER = 4;
    private static final int TTL = 5;
    private static final int SEQUENTIAL_TTL = 6;

    /// {@return the mode, or null if the flags are not valid}
    ///
    /// @param inMulti where the original takes a createTTL without a TTL flag as the create that
    ///   the flag says
    static @Nullable CreateMode of(Request.Create request, boolean inMulti) {
        int flags = request.flags();
        if (flags < 0 || flags > SEQUENTIAL_TTL) {
            return null;
        }
        boolean plain = inMulti && request.op() == CreateOp.TTL && flags <= CONTAINER;
        CreateOp taken = flags == CONTAINER ? CreateOp.CONTAINER : CreateOp.CREATE2;
        return new CreateMode(plain ? taken : request.op(), flags);
    }

    boolean isTtl() {
        return flags == TTL || flags == SEQUENTIAL_TTL;
    }

    /// {@return whether the request has a ttl if and only if its flags ask for one, and a valid
    /// one}
    boolean hasGoodTtl(Request.Create request) {
        return op == CreateOp.TTL
                ? isTtl() && request.ttl() >= 1 && request.ttl() <= Owner.MAX_TTL_MILLIS
                : !isTtl();
    }

    boolean isSequential() {
        return flags == SEQUENTIAL || flags == EPHEMERAL_SEQUENTIAL || flags == SEQUENTIAL_TTL;
    }

    /// {@return the owner of the znode as stored}: the opcode decides, then the flags.
    long owner(long session, long ttlMillis) {
        return switch (op) {
            case CONTAINER -> Owner.CONTAINER;
            case TTL -> Owner.ofTtl(ttlMillis);
            case CREATE, CREATE2 -> isEphemeral() ? session : Owner.NONE;
        };
    }

    boolean isEphemeral() {
        return (op == CreateOp.CREATE || op == CreateOp.CREATE2)
                && (flags == EPHEMERAL || flags == EPHEMERAL_SEQUENTIAL);
    }
}
