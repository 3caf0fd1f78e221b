package dev.ensemble.e2e.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/// An authority and what it signs, made by Java's `keytool`, in the form that Kubernetes' Secrets
/// have them.
public final class Certificates {
    private static final String PASSWORD = "changeit";

    private final Path folder;
    private final Path authority;
    private int signed;

    /// @param folder for the key stores
    public Certificates(Path folder) throws IOException {
        this.folder = Files.createDirectories(folder);
        this.authority = folder.resolve("ca.p12");
        Files.deleteIfExists(authority);
        generate(authority, "CN=the authority", "bc:c");
    }

    /// {@return a new key with a certificate for this DNS name: `tls.crt`, `tls.key` and `ca.crt`,
    /// each in base 64 as a Secret has it}
    public Map<String, String> sign(String name) {
        Path store = folder.resolve("own-" + signed++ + ".p12");
        Path request = folder.resolve("own.csr");
        try {
            Files.deleteIfExists(store);
            generate(store, "CN=member", "san=dns:" + name);
            keytool(store, "-certreq", "-alias", "own", "-file", request.toString());
            String own =
                    keytool(
                            authority,
                            "-gencert",
                            "-alias",
                            "own",
                            "-infile",
                            request.toString(),
                            "-rfc",
                            "-validity",
                            "30",
                            "-ext",
                            "san=dns:" + name);
            return Map.of(
                    "tls.crt", base64(own),
                    "tls.key", base64(key(store)),
                    "ca.crt", base64(keytool(authority, "-exportcert", "-alias", "own", "-rfc")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void generate(Path store, String who, String extension) {
        keytool(
                store,
                "-genkeypair",
                "-alias",
                "own",
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-validity",
                "30",
                "-dname",
                who,
                "-ext",
                extension);
    }

    private static String key(Path store) throws IOException {
        try (var in = Files.newInputStream(store)) {
            KeyStore keys = KeyStore.getInstance("PKCS12");
            keys.load(in, PASSWORD.toCharArray());
            byte[] key = keys.getKey("own", PASSWORD.toCharArray()).getEncoded();
            String text =
                    Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                            .encodeToString(key);
            return "-----BEGIN PRIVATE KEY-----\n" + text + "\n-----END PRIVATE KEY-----\n";
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(store.toString(), e);
        }
    }

    private static String keytool(Path store, String... arguments) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of(arguments));
        command.addAll(
                List.of(
                        "-keystore",
                        store.toString(),
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        PASSWORD));
        String output = Commands.run(store, command);
        int begin = output.indexOf("-----BEGIN");
        return begin < 0 ? output : output.substring(begin);
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
    }
}
