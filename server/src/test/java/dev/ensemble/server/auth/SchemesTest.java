package dev.ensemble.server.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.model.Acl;
import dev.ensemble.server.model.Id;
import dev.ensemble.server.tls.Authority;

import org.apache.zookeeper.server.auth.DigestAuthenticationProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/// What the schemes say (`client-protocol` section 16).
final class SchemesTest {
    private static final Id HERE = new Id("ip", "127.0.0.1");
    private static final Id U = new Id("digest", "u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ=");

    private final Schemes schemes = new Schemes(false, new Digest("SHA1", null));

    @ParameterizedTest
    @CsvSource({
        "world, anyone, true",
        "world, someone, false",
        "auth, '', false",
        "super, '', false",
        "nosuch, x, false",
        "'', '', false",
        "ip, 127.0.0.1, true",
        "ip, 10.0.0.0/8, true",
        "ip, 10.0.0.0/0, true",
        "ip, 10.0.0.0/32, true",
        "ip, 10.0.0.0/33, false",
        "ip, 10.0.0.0/-1, false",
        "ip, 10.0.0.0/, false",
        "ip, 10.0.0, false",
        "ip, 10.0.0.256, false",
        "ip, localhost, false",
        "ip, ::1, true",
        "ip, 2001:db8::/32, true",
        "ip, 2001:db8::/128, true",
        "ip, 2001:db8::/129, false",
        "ip, 1:2:3:4:5:6:7:8, true",
        "ip, 1:2:3:4:5:6:7, false",
        "ip, 12345::, false",
        "ip, [::1], false",
        "ip, fe80::1%eth0, false",
        "digest, u:hash, true",
        "digest, :h, true",
        "digest, u:, false",
        "digest, u, false",
        "digest, '', false",
        "digest, a:b:c, false",
        "digest, a:b:, true",
    })
    void anAclNamesWhomItsSchemeAccepts(String scheme, String id, boolean valid) {
        assertEquals(valid, schemes.isValid(new Id(scheme, id)));
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1, 127.0.0.1, true",
        "127.0.0.1, 127.0.0.2, false",
        "127.0.0.0/8, 127.9.9.9, true",
        "127.0.0.0/9, 127.128.0.0, false",
        "1.2.3.4/0, 9.9.9.9, true",
        "1.2.3.4/0, ::1, false",
        "2001:db8::/32, 2001:db8:ffff::1, true",
        "2001:db8::/33, 2001:db8:ffff::1, false",
        "::1, 0:0:0:0:0:0:0:1, true",
    })
    void addressesMatchByTheirFirstBits(String range, String address, boolean matches) {
        var acl = List.of(new Acl(Acl.READ, new Id("ip", range)));
        assertEquals(matches, schemes.permits(acl, Acl.READ, List.of(new Id("ip", address))));
    }

    @Test
    void entriesAddUp() {
        var acl = List.of(new Acl(Acl.READ, Id.ANYONE), new Acl(Acl.WRITE | Acl.CREATE, U));
        assertTrue(schemes.permits(acl, Acl.READ, List.of(HERE)));
        assertFalse(schemes.permits(acl, Acl.WRITE, List.of(HERE)));
        assertTrue(schemes.permits(acl, Acl.WRITE, List.of(HERE, U)));
        assertFalse(schemes.permits(acl, Acl.ADMIN, List.of(HERE, U)));
        assertTrue(schemes.permits(acl, Acl.READ | Acl.ADMIN, List.of(HERE)));
    }

    @Test
    void anEmptyListGrantsAll() {
        assertTrue(schemes.permits(List.of(), Acl.ADMIN, List.of()));
    }

    @Test
    void noAclBindsSuper() {
        var acl = List.of(new Acl(0, Id.ANYONE));
        assertFalse(schemes.permits(acl, Acl.READ, List.of(U)));
        assertTrue(schemes.permits(acl, Acl.READ, List.of(new Id("super", ""))));
        assertTrue(new Schemes(true, null).permits(acl, Acl.READ, List.of()));
    }

    @Test
    void theDigestIsTheOriginals() throws NoSuchAlgorithmException {
        assertEquals(List.of(U), authenticate("digest", "u:p"));
        assertEquals(
                DigestAuthenticationProvider.generateDigest("name:pass:word"),
                authenticate("digest", "name:pass:word").getFirst().id());
        assertEquals("alone:", authenticate("digest", "alone").getFirst().id().substring(0, 6));
    }

    @Test
    void superIsWhoeverHasItsDigest() {
        var withSuper = new Schemes(false, new Digest("SHA1", U.id()));
        assertEquals(
                List.of(U, new Id("super", "")), authenticate(withSuper, "digest", utf8("u:p")));
        assertEquals(1, authenticate(withSuper, "digest", utf8("u:q")).size());
    }

    @Test
    void whoIsSuperMayChange() {
        var digests = new SuperDigests(Set.of());
        var changing = new Schemes(false, Digest.with("SHA1", digests));
        assertEquals(1, authenticate(changing, "digest", utf8("u:p")).size());
        digests.set(Set.of(U.id(), Digest.of("SHA1", utf8("u:q"))));
        assertEquals(2, authenticate(changing, "digest", utf8("u:p")).size());
        assertEquals(2, authenticate(changing, "digest", utf8("u:q")).size());
        digests.set(Set.of());
        assertEquals(1, authenticate(changing, "digest", utf8("u:p")).size());
    }

    @Test
    void onlySomeSchemesCanBeClaimed() {
        assertEquals(List.of(HERE), authenticate("ip", ""));
        assertEquals(List.of(), authenticate("world", "anyone"));
        assertEquals(List.of(), authenticate("super", ""));
        assertEquals(List.of(), authenticate("auth", ""));
        assertEquals(List.of(), authenticate("nosuch", "x"));
        assertEquals(List.of(), authenticate(schemes, null, utf8("u:p")));
        assertEquals(List.of(), authenticate(schemes, "digest", null));
    }

    @Test
    void digestCanBeSwitchedOff() {
        var without = new Schemes(false, null);
        assertEquals(List.of(), authenticate(without, "digest", utf8("u:p")));
        assertFalse(without.isValid(U));
        assertFalse(without.authenticates(U));
        assertTrue(schemes.authenticates(U));
        assertFalse(schemes.authenticates(HERE));
    }

    @Test
    void aHashThatNobodyKnowsIsRefused() {
        var refused = assertThrows(IllegalArgumentException.class, () -> new Digest("ROT13", null));
        assertTrue(
                String.valueOf(refused.getMessage())
                        .startsWith("DigestAuthenticationProvider.digestAlg=ROT13"));
    }

    @Test
    void aCertificateIsItsSubject() throws Exception {
        var certificate =
                new Authority("authority")
                        .issue("CN=alice,O=tests", "uri:zk://alice", "uri:other://b")
                        .certificate();
        Id alice = new Id("x509", "CN=alice,O=tests");
        Schemes plain = with(new X509(null, null), null);
        assertEquals(List.of(alice), plain.certified(certificate));
        assertEquals(List.of(), schemes.certified(certificate), "the scheme is switched off");
        assertTrue(plain.isValid(alice));
        assertFalse(plain.isValid(new Id("x509", "alice")));
        assertFalse(schemes.isValid(alice));
        assertTrue(plain.authenticates(alice));
        assertTrue(plain.permits(List.of(new Acl(Acl.READ, alice)), Acl.READ, List.of(alice)));
        assertEquals(
                new Proof.Proved(List.of(alice)),
                plain.authenticate("x509", null, HERE, certificate));
        assertEquals(new Proof.Refused(), plain.authenticate("x509", null, HERE, null));
        Schemes withSuper = with(new X509(alice.id(), null), null);
        assertEquals(List.of(new Id("super", ""), alice), withSuper.certified(certificate));

        var uri = new X509.Alternative(6, Pattern.compile("^zk:"), Pattern.compile("//(.*)"), 1);
        Schemes byUri = with(new X509(null, uri), null);
        assertEquals(List.of(new Id("x509", "alice")), byUri.certified(certificate));
        assertTrue(byUri.isValid(new Id("x509", "alice")));
        var two = new X509.Alternative(6, Pattern.compile(""), Pattern.compile(".*"), 0);
        assertNull(with(new X509(null, two), null).certified(certificate), "which of them?");
    }

    @ParameterizedTest
    @CsvSource({
        "bob, true",
        "bob/host@REALM, true",
        "bob@REALM, true",
        "a/b/c, true",
        "a/b/c@REALM, false",
        "a@b@c, false",
        "'', true",
    })
    void saslNamesLookLikeThoseOfKerberos(String name, boolean valid) {
        var sasl = new Sasl(null, Set.of(), null, false);
        assertEquals(valid, with(null, sasl).isValid(new Id("sasl", name)));
        assertFalse(schemes.isValid(new Id("sasl", name)));
    }

    @Test
    void whatAnySaslUserMayDo() {
        Schemes any = with(null, new Sasl(null, Set.of(), "anyone", false));
        Id bob = new Id("sasl", "bob");
        var acl = List.of(new Acl(Acl.READ, new Id("sasl", "anyone")));
        assertTrue(any.permits(acl, Acl.READ, List.of(bob)));
        assertFalse(any.permits(acl, Acl.READ, List.of(HERE)));
        var own = List.of(new Acl(Acl.READ, bob));
        assertTrue(any.permits(own, Acl.READ, List.of(bob)));
        assertTrue(any.permits(own, Acl.READ, List.of(new Id("sasl", "super"))));
        assertFalse(any.permits(own, Acl.READ, List.of(new Id("sasl", "eve"))));
        assertEquals(List.of(), authenticate(any, "sasl", utf8("bob")));
    }

    @Test
    void aClientOfAnotherEnsembleIsMisled() {
        var named = new Schemes(false, null, null, null, Set.of("a", "b"), Set.of());
        assertEquals(new Proof.Proved(List.of()), named.authenticate("ensemble", null, HERE, null));
        assertEquals(
                new Proof.Proved(List.of()), named.authenticate("ensemble", utf8("b"), HERE, null));
        assertEquals(
                new Proof.Misled("the client looks for the ensemble c"),
                named.authenticate("ensemble", utf8("c"), HERE, null));
        assertEquals(List.of(), authenticate("ensemble", "a"));
        assertFalse(named.isValid(new Id("ensemble", "a")));
    }

    @Test
    void someSchemeCanBeAskedOfAll() {
        var enforcing =
                new Schemes(false, new Digest("SHA1", null), null, null, null, Set.of("digest"));
        assertTrue(enforcing.isTooLittle(List.of(HERE)));
        assertFalse(enforcing.isTooLittle(List.of(HERE, U)));
        assertFalse(schemes.isTooLittle(List.of(HERE)));
    }

    private static Schemes with(@Nullable X509 x509, @Nullable Sasl sasl) {
        return new Schemes(false, new Digest("SHA1", null), x509, sasl, null, Set.of());
    }

    @Test
    void aConnectionIsItsAddress() {
        assertEquals(HERE, Schemes.remote(InetAddress.ofLiteral("127.0.0.1")));
        assertEquals("0:0:0:0:0:0:0:1", Schemes.remote(InetAddress.ofLiteral("::1")).id());
    }

    @Test
    void whatReadsMustBeIsNoIdentity() {
        assertEquals(
                new Proof.Linearizable(),
                schemes.authenticate("reads", utf8("linearizable"), HERE, null));
        for (String other : new String[] {"", "Linearizable", "local", "linearizable "}) {
            assertEquals(
                    new Proof.Refused(), schemes.authenticate("reads", utf8(other), HERE, null));
        }
        assertEquals(new Proof.Refused(), schemes.authenticate("reads", null, HERE, null));
        assertFalse(schemes.isValid(new Id("reads", "linearizable")));
        assertFalse(schemes.authenticates(new Id("reads", "linearizable")));
    }

    private List<Id> authenticate(String scheme, String auth) {
        return authenticate(schemes, scheme, utf8(auth));
    }

    private static List<Id> authenticate(
            Schemes schemes, @Nullable String scheme, byte @Nullable [] auth) {
        return switch (schemes.authenticate(scheme, auth, HERE, null)) {
            case Proof.Proved(List<Id> ids) -> ids;
            case Proof.Refused _, Proof.Linearizable _ -> List.of();
            case Proof.Misled(String reason) -> throw new AssertionError(reason);
        };
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
