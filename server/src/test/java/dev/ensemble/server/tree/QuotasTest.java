package dev.ensemble.server.tree;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Request.CreateOp;
import dev.ensemble.server.model.Result;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Stat;
import dev.ensemble.server.model.Txn;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

final class QuotasTest {
    private Tree tree = Tree.initial();
    private boolean enforceQuota = true;
    private long session;
    private long attach;

    @BeforeEach
    void connect() {
        var create = new Txn.CreateSession(1000, new byte[Session.PASSWORD_BYTES]);
        session = ((Result.Attached) apply(create)).session().id();
        attach = tree.zxid();
        done(create("/q", "12345"));
    }

    @Test
    @DisplayName("b132, b133: the usage is counted when its znode is made, and kept from then on")
    void usage() {
        done(create("/q/a", "123"));
        limit("/q", "count=100,bytes=1000");
        assertEquals("count=2,bytes=8", usage("/q"));
        done(create("/q/a/b", null));
        assertEquals("count=3,bytes=8", usage("/q"));
        done(new Request.SetData("/q/a", bytes("1"), -1));
        assertEquals("count=3,bytes=6", usage("/q"));
        done(new Request.Delete("/q/a/b", -1));
        assertEquals("count=2,bytes=6", usage("/q"));
        done(create("/elsewhere", "x"));
        assertEquals("count=2,bytes=6", usage("/q"));
        done(new Request.Delete("/zookeeper/quota/q/zookeeper_limits", -1));
        done(create("/q/c", "x"));
        assertEquals("count=2,bytes=6", usage("/q"), "no quota any more");
    }

    @Test
    @DisplayName("Usage changes the data of its znode, and nothing else of its Stat")
    void usageHasNoTransaction() {
        limit("/q", "count=100,bytes=1000");
        Stat before = Objects.requireNonNull(tree.stat(Quotas.usage("/q")));
        done(create("/q/a", "123456789"));
        Stat after = Objects.requireNonNull(tree.stat(Quotas.usage("/q")));
        assertEquals(before.mzxid(), after.mzxid());
        assertEquals(before.version(), after.version());
        assertEquals(after.dataLength(), usage("/q").length());
    }

    @Test
    @DisplayName("b134: a tree that was loaded counts on")
    void loaded() {
        limit("/q", "count=100,bytes=1000");
        var loader = new Tree.Loader();
        tree.diff(null, loader::accept);
        Tree loaded = loader.finish();
        assertEquals(tree.digest(), loaded.digest());
        tree = loaded;
        done(create("/q/a", "1"));
        assertEquals("count=2,bytes=6", usage("/q"));
    }

    @ParameterizedTest
    @CsvSource({
        "'count=2,bytes=8', true, true, true",
        "'count=2,bytes=8=;byteHardLimit=-1;countHardLimit=2', false, false, true",
        "'count=-1,bytes=-1=;byteHardLimit=8;countHardLimit=-1', false, true, false",
        "'count=1,bytes=1=;byteHardLimit=9;countHardLimit=4', true, true, false",
        "'count=x,bytes', true, true, true",
    })
    @DisplayName(
            "b136 to b141: hard limits refuse what exceeds them, at any depth; soft ones never")
    void limits(String limits, boolean bytes, boolean count, boolean grown) {
        done(create("/q/a", "123"));
        limit("/q", limits);
        assertEquals(bytes, isDone(create("/q/a/b", "1")));
        assertEquals(count, isDone(create("/q/a/c", null)));
        assertEquals(grown, isDone(new Request.SetData("/q/a", bytes("1234"), -1)));
        done(new Request.SetData("/q/a", bytes("12"), -1));
        done(new Request.Delete("/q/a/c", -1), count);
    }

    @Test
    @DisplayName("b140: what is over a limit that came later may shrink but not grow")
    void limitBelowUsage() {
        limit("/q", "count=-1,bytes=-1=;byteHardLimit=2;countHardLimit=1");
        assertEquals(Code.QUOTA_EXCEEDED, code(new Request.SetData("/q", bytes("123456"), -1)));
        assertEquals(Code.QUOTA_EXCEEDED, code(new Request.SetData("/q", bytes("123"), -1)));
        done(new Request.SetData("/q", bytes("12"), -1));
        assertEquals(Code.QUOTA_EXCEEDED, code(create("/q/a", null)));
    }

    @Test
    @DisplayName("The quota is looked at before the version")
    void beforeTheVersion() {
        limit("/q", "count=-1,bytes=-1=;byteHardLimit=5");
        assertEquals(Code.QUOTA_EXCEEDED, code(new Request.SetData("/q", bytes("123456"), 77)));
        assertEquals(Code.BAD_VERSION, code(new Request.SetData("/q", bytes("54321"), 77)));
    }

    @Test
    @DisplayName("Only the deepest quota is looked at, and one on the root never")
    void deepest() {
        done(create("/q/a", null));
        limit("/q", "count=-1,bytes=-1=;countHardLimit=2");
        limit("/q/a", "count=-1,bytes=-1");
        done(create("/q/a/b", null));
        assertEquals(Code.QUOTA_EXCEEDED, code(create("/q/c", null)));
        done(create("/zookeeper/quota/zookeeper_limits", "count=-1,bytes=-1=;countHardLimit=1"));
        done(create("/anywhere", null));
    }

    @Test
    @DisplayName("b142: without enforceQuota nothing is refused")
    void notEnforced() {
        enforceQuota = false;
        limit("/q", "count=-1,bytes=-1=;byteHardLimit=2;countHardLimit=1");
        done(create("/q/a", "123"));
        assertEquals("count=2,bytes=8", usage("/q"));
    }

    @Test
    @DisplayName("b143: the parts of a multi count together")
    void multi() {
        limit("/q", "count=-1,bytes=-1=;countHardLimit=2");
        var two = new Request.Multi(List.of(create("/q/a", null), create("/q/b", null)));
        assertEquals(new Txn.RefusedMulti(List.of(Code.OK, Code.QUOTA_EXCEEDED)), prepare(two));
        done(
                new Request.Multi(
                        List.of(create("/q/a", null), new Request.SetData("/q/a", null, -1))));
        assertEquals("count=2,bytes=5", usage("/q"));
    }

    @ParameterizedTest
    @CsvSource({
        "'count=5,bytes=10', 'count=5,bytes=10'",
        "'bytes=10', 'count=-1,bytes=10'",
        "'', 'count=-1,bytes=-1'",
        "'count=5,bytes=10=;countHardLimit=7;byteHardLimit=8', "
                + "'count=5,bytes=10=;byteHardLimit=8;countHardLimit=7'",
        "'count=5,bytes=10;byteHardLimit=8', 'count=5,bytes=10=;byteHardLimit=8'",
        "'count=,bytes=3', 'count=-1,bytes=3'",
    })
    @DisplayName("b145: the text of limits and usage")
    void text(String given, String expected) {
        assertEquals(expected, Quotas.Text.of(bytes(given)).toString());
    }

    @Test
    @DisplayName("b146: where limits and usage are")
    void places() {
        assertEquals("/zookeeper/quota/a/b/zookeeper_limits", Quotas.limits("/a/b"));
        assertEquals("/zookeeper/quota/a/b/zookeeper_stats", Quotas.usage("/a/b"));
        assertEquals("/a/b", Quotas.countedBy("/zookeeper/quota/a/b/zookeeper_stats"));
        assertEquals("", Quotas.countedBy("/zookeeper/quota/zookeeper_stats"));
    }

    @Test
    @DisplayName("The tree knows how many quotas there are")
    void quotaCount() {
        limit("/q", "count=1,bytes=1");
        assertEquals(1, tree.quotaCount());
        done(create("/zookeeper_limits", null));
        done(create("/q/zookeeper_limits", null));
        assertEquals(1, tree.quotaCount());
        done(new Request.Delete("/zookeeper/quota/q/zookeeper_limits", -1));
        assertEquals(0, tree.quotaCount());
    }

    /// As the original's tools do it.
    private void limit(String path, String limits) {
        String at = "/zookeeper/quota";
        for (String name : path.substring(1).split("/", -1)) {
            at += "/" + name;
            if (tree.stat(at) == null) {
                done(create(at, ""));
            }
        }
        done(create(at + "/zookeeper_limits", limits));
        done(create(at + "/zookeeper_stats", "count=0,bytes=0"));
    }

    private String usage(String path) {
        byte[] data = tree.data(Quotas.usage(path));
        assertNotNull(data);
        return new String(data, StandardCharsets.UTF_8);
    }

    private void done(Request.Write request) {
        var _ = apply(prepare(request));
    }

    private void done(Request.Write request, boolean wanted) {
        if (wanted) {
            done(request);
        }
    }

    private boolean isDone(Request.Write request) {
        Txn txn = prepare(request);
        if (txn instanceof Txn.Refused(Code code)) {
            assertEquals(Code.QUOTA_EXCEEDED, code);
            return false;
        }
        var _ = apply(txn);
        return true;
    }

    private Code code(Request.Write request) {
        return ((Txn.Refused) prepare(request)).code();
    }

    private Txn prepare(Request.Write request) {
        var options = new Preparation.Options(false, false, enforceQuota);
        return new Preparation(new PreparationTest.Rules(), options)
                .prepare(request, session, attach, List.of(), 5_000, tree);
    }

    private Result apply(Txn txn) {
        if (txn instanceof Txn.Refused || txn instanceof Txn.RefusedMulti) {
            throw new AssertionError(txn);
        }
        Applied applied = tree.apply(tree.zxid() + 1, new Header(session, 1, 1, 1, 5_000), txn);
        tree = applied.tree();
        return applied.result();
    }

    private static Request.Create create(String path, @Nullable String data) {
        return new Request.Create(
                CreateOp.CREATE, path, data == null ? null : bytes(data), Acl.OPEN, 0, 0);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
