package dev.ensemble.server.member;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Txn;
import dev.ensemble.server.tree.Tree;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import java.util.List;

@DisplayName("safety.md 13: what a leader takes while no quorum has space")
final class GrowthTest {
    private static final Txn CREATE = new Txn.Create("/b", new byte[1], Acl.OPEN, 0);
    private static final Txn DELETE = new Txn.Delete("/a");

    private final Tree tree =
            Tree.initial()
                    .apply(
                            1,
                            new Header(0, 1, 1, 1, 1),
                            new Txn.Create("/a", new byte[10], Acl.OPEN, 0))
                    .tree();

    @Test
    void whatGrowsIsRefusedWithOneCode() {
        Txn refused = new Txn.Refused(Code.QUOTA_EXCEEDED);
        assertEquals(refused, Growth.refused(CREATE, tree));
        assertEquals(refused, Growth.refused(new Txn.SetData("/a", new byte[11], 1), tree));
    }

    @Test
    void whatFreesSpaceAndWhatDoesNotCountPass() {
        List<Txn> allowed =
                List.of(
                        DELETE,
                        new Txn.CloseSession(List.of("/a")),
                        new Txn.CreateSession(1000, new byte[16]),
                        new Txn.AttachSession(1000),
                        new Txn.SetData("/a", new byte[10], 1),
                        new Txn.SetData("/a", null, 1),
                        new Txn.Refused(Code.NO_NODE),
                        new Txn.Multi(List.of(DELETE, new Txn.Check("/a"))));
        for (Txn txn : allowed) {
            assertEquals(txn, Growth.refused(txn, tree));
        }
    }

    @Test
    void multiIsRefusedAsWhole() {
        assertEquals(
                new Txn.RefusedMulti(
                        List.of(Code.OK, Code.QUOTA_EXCEEDED, Code.RUNTIME_INCONSISTENCY)),
                Growth.refused(new Txn.Multi(List.of(DELETE, CREATE, DELETE)), tree));
    }
}
