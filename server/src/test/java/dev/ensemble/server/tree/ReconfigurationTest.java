package dev.ensemble.server.tree;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.AclRules;
import dev.ensemble.server.model.Code;
import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Groups;
import dev.ensemble.server.model.Header;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.model.Request;
import dev.ensemble.server.model.Session;
import dev.ensemble.server.model.Txn;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Objects;

/// What becomes of a client's change of the membership (`client-protocol` section 11).
final class ReconfigurationTest {
    private static final String THREE =
            "server.1=h:1:2:participant\nserver.2=h:3:4:participant\nserver.3=h:5:6:participant";

    private boolean enabled = true;
    private int fewest = 2;
    private boolean several;
    private boolean pending;
    private boolean hasQuorum = true;
    private boolean mayWrite = true;
    private long attach = 3;
    private Tree tree = Tree.initial();

    private final AclRules rules =
            new AclRules() {
                @Override
                public boolean permits(List<Acl> acl, int perm, List<Id> identities) {
                    return mayWrite;
                }

                @Override
                public boolean isValid(Id id) {
                    return true;
                }

                @Override
                public boolean authenticates(Id identity) {
                    return false;
                }
            };

    ReconfigurationTest() {
        at(Ensemble.HIGHEST_LEVEL);
    }

    /// An ensemble of three, of that level.
    private void at(int level) {
        tree = Tree.initial();
        var first =
                Reconfiguration.of(
                        new Request.Reconfig(null, null, THREE, -1),
                        Ensemble.declared("e", List.of()).atLevel(level),
                        1,
                        false);
        tree = tree.apply(1, new Header(0, 0, 0, 0, 0), new Txn.Configure(first)).tree();
        tree =
                tree.apply(
                                3,
                                new Header(0, 1, 1, 1, 0),
                                new Txn.CreateSession(1000, new byte[Session.PASSWORD_BYTES]))
                        .tree();
    }

    private Txn prepare(
            @Nullable String joining,
            @Nullable String leaving,
            @Nullable String all,
            long version) {
        var members =
                new Reconfiguration.Members() {
                    @Override
                    public boolean isPending() {
                        return pending;
                    }

                    @Override
                    public Ensemble withDisks(Ensemble next) {
                        return next.withIncarnation(4, 44);
                    }

                    @Override
                    public boolean hasQuorum(Ensemble next) {
                        return hasQuorum;
                    }
                };
        var options = new Preparation.Options(enabled, true, false, fewest, several);
        return new Preparation(rules, options)
                .prepareReconfig(
                        new Request.Reconfig(joining, leaving, all, version),
                        Session.id(1, 3),
                        attach,
                        List.of(),
                        tree,
                        members);
    }

    private Code refusal(
            @Nullable String joining,
            @Nullable String leaving,
            @Nullable String all,
            long version) {
        Txn txn = prepare(joining, leaving, all, version);
        return assertInstanceOf(Txn.Refused.class, txn).code();
    }

    private static String text(Txn txn) {
        return assertInstanceOf(Txn.Configure.class, txn).ensemble().at(16).text();
    }

    @Test
    @DisplayName("b238, b241: who leaves goes first, who is there already is replaced")
    void incremental() {
        assertEquals(
                "server.1=h:1:2:participant\nserver.2=h:7:8:observer;0.0.0.0:2181\n"
                        + "server.4=[::1]:1:2:participant;x:9\nversion=10",
                text(
                        prepare(
                                "server.2=h:7:8:observer;2181,server.4=[::1]:1:2;x:9",
                                "3,2",
                                null,
                                1)));
        assertEquals(
                44L,
                Objects.requireNonNull(
                                assertInstanceOf(
                                                Txn.Configure.class,
                                                prepare("server.4=x:1:2", null, null, -1))
                                        .ensemble()
                                        .members()
                                        .get(4))
                        .incarnation());
    }

    @Test
    @DisplayName("b239: all of them, whatever joins or leaves")
    void bulk() {
        assertEquals(
                "server.1=h:1:2:participant\nserver.9=h:3:4:participant\nversion=10",
                text(prepare("nonsense", "1", "server.1=h:1:2,server.9=h:3:4\nversion=5", -1)));
    }

    @Test
    @DisplayName("b244: groups and weights come with all members, and go with all members")
    void groups() {
        String groups = "group.1=1:2\ngroup.2=3\nweight.1=1\nweight.2=5\nweight.3=1\n";
        Txn grouped = prepare(null, null, THREE + "\ngroup.1=1:2,group.2=3,weight.2=5", -1);
        assertEquals(THREE + "\n" + groups + "version=10", text(grouped));
        assertEquals(
                Code.BAD_ARGUMENTS, refusal(null, null, THREE + "\ngroup.1=1:2", -1), "3 in none");

        tree = tree.apply(4, new Header(0, 0, 0, 0, 0), grouped).tree();
        assertEquals(Ensemble.HIGHEST_LEVEL, tree.ensemble().level());
        assertEquals(Code.BAD_ARGUMENTS, refusal(null, "3", null, -1));
        assertEquals(Code.BAD_ARGUMENTS, refusal("server.4=h:7:8", null, null, -1));
        assertEquals(THREE + "\nversion=10", text(prepare(null, null, THREE, -1)));

        var old =
                new Txn.Configure(tree.ensemble().with(Groups.NONE).atLevel(Ensemble.FIRST_LEVEL));
        tree = tree.apply(5, new Header(0, 0, 0, 0, 0), old).tree();
        assertEquals(
                Code.BAD_ARGUMENTS,
                refusal(null, null, THREE + "\ngroup.1=1:2:3", -1),
                "not all members know groups");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "server.4=h",
                "server.4=h:1",
                "server.4=h:1:2:voter",
                "server.255=h:1:2",
                "4",
                "x=y",
                "server.4=h:1:9",
                "server.4=h:9:2",
                "server.4=a:1:2,server.4=b:1:2",
                "group.1=1:2",
                "weight.1=2"
            })
    @DisplayName("b258: malformed, or an address of another member")
    void badArguments(String joining) {
        assertEquals(Code.BAD_ARGUMENTS, refusal(joining, null, null, -1));
        assertEquals(Code.BAD_ARGUMENTS, refusal(null, "one", null, -1));
    }

    @Test
    @DisplayName("b245, b251: too few are left")
    void tooFew() {
        assertEquals(Code.BAD_ARGUMENTS, refusal(null, "1,2", null, -1));
        fewest = 1;
        assertEquals(
                "server.3=h:5:6:participant\nversion=10", text(prepare(null, "1,2", null, -1)));
        assertEquals(Code.BAD_ARGUMENTS, refusal(null, "1,2,3", null, -1));
    }

    @Test
    @DisplayName("b257: several addresses for one member, if that is asked for")
    void severalAddresses() {
        String line = "server.4=x:1:2|y:1:2:participant";
        assertEquals(Code.BAD_ARGUMENTS, refusal(line, null, null, -1));
        several = true;
        assertTrue(text(prepare(line, null, null, -1)).contains(line + "\n"));
        assertEquals(Code.BAD_ARGUMENTS, refusal("server.4=x:1:2|h:1:9", null, null, -1));
        at(Ensemble.LEVEL_OF_ADDRESSES - 1);
        assertEquals(Code.BAD_ARGUMENTS, refusal(line, null, null, -1), "not all know that");
        assertTrue(text(prepare("server.4=x:1:2", null, null, -1)).contains("server.4=x:1:2"));
    }

    /// Each of these is wrong at once, and is told before those below it.
    @Test
    @DisplayName("b246 to b250, V47: the order of the refusals")
    void order() {
        enabled = false;
        attach = 4;
        fewest = 0;
        pending = true;
        hasQuorum = false;
        mayWrite = false;
        assertEquals(Code.RECONFIG_DISABLED, refusal("x", null, null, 7));
        enabled = true;
        assertEquals(Code.SESSION_MOVED, refusal("x", null, null, 7));
        attach = 3;
        assertEquals(Code.UNIMPLEMENTED, refusal("x", null, null, 7));
        fewest = 2;
        assertEquals(Code.RECONFIG_IN_PROGRESS, refusal("x", null, null, 7));
        pending = false;
        assertEquals(Code.BAD_VERSION, refusal("x", null, null, 7));
        assertEquals(Code.BAD_ARGUMENTS, refusal("x", null, null, 1));
        assertEquals(Code.NO_AUTH, refusal("server.999=x:1:2", null, null, 1));
        assertEquals(Code.NEW_CONFIG_NO_QUORUM, refusal("server.4=x:1:2", null, null, 1));
        hasQuorum = true;
        assertEquals(Code.NO_AUTH, refusal("server.4=x:1:2", null, null, 1));
        mayWrite = true;
        text(prepare("server.4=x:1:2", null, null, 1));
    }
}
