package dev.ensemble.server.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Request.CreateOp;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;

/// What a multi may hold (`client-protocol` section 10).
final class MultiRequestTest {
    @ParameterizedTest
    @CsvSource({
        "CREATE, -1",
        "CREATE, 5",
        "CREATE, 6",
        "CREATE, 7",
        "CREATE2, 5",
        "CREATE2, 2147483647",
        "CONTAINER, 5",
        "CONTAINER, 6",
        "TTL, 7",
        "TTL, -1"
    })
    void aFlagThatCannotBeSpoilsAllOfIt(CreateOp op, int flags) {
        assertEquals(new Request.MalformedWrite(Op.MULTI), sent(create(op, flags)));
    }

    @ParameterizedTest
    @CsvSource({
        "CREATE, 0, CREATE",
        "CREATE, 3, CREATE",
        "CREATE, 4, CONTAINER",
        "CREATE2, 1, CREATE2",
        "CREATE2, 4, CONTAINER",
        "CONTAINER, 0, CONTAINER",
        "CONTAINER, 4, CONTAINER",
        "TTL, 5, TTL",
        "TTL, 0, TTL"
    })
    void theContainerFlagCountsForMoreThanTheOpcode(CreateOp op, int flags, CreateOp read) {
        var multi = assertInstanceOf(Request.Multi.class, sent(create(op, flags)));
        var part = assertInstanceOf(Request.Create.class, multi.parts().getFirst());
        assertEquals(read, part.op());
        assertEquals(flags, part.flags());
    }

    @Test
    void outsideOfAMultiTheFlagIsLeftToWhoAnswers() {
        Request create = create(CreateOp.CREATE, 99);
        var read = ClientCodec.decode(Op.CREATE, ClientCodec.encode(create));
        assertEquals(99, assertInstanceOf(Request.Create.class, read).flags());
    }

    @Test
    void readsAndWritesDoNotMix() {
        var read = new Request.MultiRead(List.of(new Request.GetData("/a", false)));
        var write = new Request.Multi(List.of(new Request.Delete("/a", -1)));
        assertEquals(
                new Request.MalformedWrite(Op.MULTI),
                ClientCodec.decode(Op.MULTI, ClientCodec.encode(read)));
        assertEquals(
                new Request.MalformedRead(Op.MULTI_READ),
                ClientCodec.decode(Op.MULTI_READ, ClientCodec.encode(write)));
        assertEquals(read, ClientCodec.decode(Op.MULTI_READ, ClientCodec.encode(read)));
    }

    @Test
    void aMultiHoldsNoMulti() {
        var inner = new Request.Multi(List.of());
        assertEquals(new Request.MalformedWrite(Op.MULTI), sent(inner));
        assertEquals(new Request.MalformedWrite(Op.MULTI), sent(new Request.CloseSession()));
    }

    private static Request sent(Request.Write part) {
        return ClientCodec.decode(Op.MULTI, ClientCodec.encode(new Request.Multi(List.of(part))));
    }

    private static Request.Create create(CreateOp op, int flags) {
        return new Request.Create(
                op, "/a", new byte[] {1}, Acl.OPEN, flags, op == CreateOp.TTL ? 5 : 0);
    }
}
