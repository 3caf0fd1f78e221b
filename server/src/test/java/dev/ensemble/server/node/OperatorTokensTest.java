package dev.ensemble.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.Signature;
import java.util.Base64;

/// Tokens that operators sign.
final class OperatorTokensTest {
    private static final String HEADER = "{\"alg\":\"EdDSA\"}";
    private static final String EMPTY_SHA256 =
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private static final String CLAIMS =
            "{\"aud\":\"orders\",\"method\":\"POST\",\"path\":\"/v1/members\",\"sha256\":\""
                    + EMPTY_SHA256
                    + "\",\"exp\":1050}";

    @TempDir Path folder;
    private final KeyPair current;
    private final KeyPair next;
    private Path keys = Path.of("keys");

    OperatorTokensTest() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("Ed25519");
        current = generator.generateKeyPair();
        next = generator.generateKeyPair();
    }

    @BeforeEach
    void writeKeys() throws Exception {
        keys = folder.resolve("keys.pem");
        Files.writeString(keys, "# of the operator\n" + pem(current.getPublic()));
    }

    static String pem(PublicKey key) {
        return "-----BEGIN PUBLIC KEY-----\n"
                + Base64.getMimeEncoder().encodeToString(key.getEncoded())
                + "\n-----END PUBLIC KEY-----\n";
    }

    static String token(KeyPair key, String header, String claims) throws Exception {
        String text = base64(header.getBytes(StandardCharsets.UTF_8));
        text += "." + base64(claims.getBytes(StandardCharsets.UTF_8));
        Signature signature = Signature.getInstance("Ed25519");
        signature.initSign(key.getPrivate());
        signature.update(text.getBytes(StandardCharsets.US_ASCII));
        return text + "." + base64(signature.sign());
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /// At second 1000.
    private @Nullable String refusal(String token) {
        return new OperatorTokens(keys, () -> 1_000_000)
                .refusal(token, "orders", "POST", "/v1/members", new byte[0]);
    }

    @Test
    void allowsWhatItIsMadeFor() throws Exception {
        assertNull(refusal(token(current, HEADER, CLAIMS)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "\"orders\"        ~ \"others\"      ~ is for ensemble others",
                "\"orders\"        ~ [\"orders\"]    ~ is for ensemble",
                "POST              ~ GET             ~ another request",
                "/v1/members       ~ /v1/drain       ~ another request",
                "e3b0              ~ e3b1            ~ another body",
                "1050              ~ 994             ~ has expired",
                "1050              ~ 1066            ~ too long",
                ",\"exp\":1050     ~ ''              ~ has no exp",
                "}                 ~ ''              ~ malformed"
            })
    void allowsNothingElse(String instead, String of, String reason) throws Exception {
        String refused = refusal(token(current, HEADER, CLAIMS.replace(instead, of)));
        assertNotNull(refused);
        assertTrue(refused.contains(reason), refused);
    }

    @Test
    void knowsTheNextKeyOnceItIsInTheFile() throws Exception {
        String token = token(next, HEADER, CLAIMS);
        assertEquals("no key of admin.operatorKeys has signed the token", refusal(token));
        Files.writeString(keys, pem(current.getPublic()) + pem(next.getPublic()));
        assertNull(refusal(token));
        assertNull(refusal(token(current, HEADER, CLAIMS)));
    }

    @Test
    void believesOnlySignatures() throws Exception {
        String good = token(current, HEADER, CLAIMS);
        String[] parts = good.split("\\.", -1);
        for (String bad :
                new String[] {
                    "",
                    "a.b",
                    "a.b.c",
                    parts[0] + "." + parts[1] + ".",
                    parts[0] + "." + parts[1] + ".AAAA",
                    parts[0]
                            + "."
                            + base64(
                                    CLAIMS.replace("1050", "1051").getBytes(StandardCharsets.UTF_8))
                            + "."
                            + parts[2],
                    token(current, "{\"alg\":\"none\"}", CLAIMS),
                    token(current, "{\"alg\":\"EdDSA\",\"crit\":[\"x\"]}", CLAIMS)
                }) {
            assertNotNull(refusal(bad), bad);
        }
    }

    @Test
    void namesAFileThatCannotBeUsed() throws Exception {
        String token = token(current, HEADER, CLAIMS);
        for (String content :
                new String[] {
                    "",
                    "-----BEGIN PUBLIC KEY-----\nAAAA",
                    "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"
                }) {
            Files.writeString(keys, content);
            String refused = refusal(token);
            assertNotNull(refused);
            assertTrue(refused.startsWith("admin.operatorKeys cannot be used"), refused);
        }
        Files.delete(keys);
        assertNotNull(refusal(token));
    }
}
