package dev.ensemble.e2e.harness;

import dev.ensemble.e2e.client.Vault;

import io.fabric8.kubernetes.api.model.NodeAddress;
import io.fabric8.kubernetes.api.model.SecretBuilder;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// A bucket of an S3-compatible store in the cluster's network, and a Secret with the key for it.
public final class Bucket implements AutoCloseable {
    /// Its name.
    public static final String NAME = "vault";

    /// The Secret in the story's namespace.
    public static final String SECRET = "vault-key";

    private static final String ID = "of-the-story";
    private static final String KEY = "a-secret-of-the-story";

    private final Cluster.Program program;
    private final String endpoint;

    Bucket(Cluster cluster, Path folder, String namespace) {
        Path output = folder.resolve("vault.txt");
        try {
            Files.createDirectories(folder);
            Files.deleteIfExists(output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        program = cluster.start("vault", output, Vault.class.getName(), List.of(NAME, ID, KEY));
        Set<String> nodes =
                cluster.client().nodes().list().getItems().stream()
                        .flatMap(node -> node.getStatus().getAddresses().stream())
                        .map(NodeAddress::getAddress)
                        .collect(Collectors.toSet());
        Await.until(
                "a store for backups",
                Story.PATIENCE,
                () -> {
                    if (!program.running()) {
                        throw new AssertionError("the store ended: " + program.errors());
                    }
                    return said(output).contains("that is all") ? "" : "it has said nothing";
                });
        List<String> reachable = said(output);
        endpoint =
                reachable.stream()
                        .map(each -> each.split(" ", 2))
                        .filter(each -> nodes.contains(each[0]))
                        .map(each -> "http://" + each[0] + ":" + each[1])
                        .findFirst()
                        .orElseThrow(() ->
                                new AssertionError(
                                        "no node has one of the store's addresses: " + reachable));
        cluster.client()
                .resource(
                        new SecretBuilder()
                                .withNewMetadata()
                                .withName(SECRET)
                                .withNamespace(namespace)
                                .endMetadata()
                                .addToStringData("AWS_ACCESS_KEY_ID", ID)
                                .addToStringData("AWS_SECRET_ACCESS_KEY", KEY)
                                .build())
                .create();
    }

    private static List<String> said(Path output) {
        try {
            return Files.readAllLines(output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// {@return where pods reach the store}
    public String endpoint() {
        return endpoint;
    }

    @Override
    public void close() {
        program.close();
    }
}
