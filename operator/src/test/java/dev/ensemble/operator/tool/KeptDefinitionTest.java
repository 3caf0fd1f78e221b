package dev.ensemble.operator.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.SecretListBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;

import org.junit.jupiter.api.Test;

import java.util.Map;

/// Not in CRUD mode: there the mock server keeps definitions to itself.
@EnableKubernetesMockClient
final class KeptDefinitionTest {
    private static final String PATH =
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ensembles.ensemble.dev";

    @SuppressWarnings("NullAway.Init") // The extension sets it.
    private KubernetesClient client;

    @SuppressWarnings("NullAway.Init") // The extension sets it.
    private KubernetesMockServer server;

    private void kept(Map<String, String> annotations) {
        CustomResourceDefinition kept =
                new CustomResourceDefinitionBuilder()
                        .withNewMetadata()
                        .withName("ensembles.ensemble.dev")
                        .withAnnotations(annotations)
                        .endMetadata()
                        .build();
        server.expect().get().withPath(PATH).andReturn(200, kept).always();
        server.expect().patch().withPath(PATH).andReturn(200, kept).once();
    }

    private void releases(String namespace, String name, String... found) {
        var list = new SecretListBuilder();
        for (String each : found) {
            list.addToItems(
                    new SecretBuilder().withNewMetadata().withName(each).endMetadata().build());
        }
        server.expect()
                .get()
                .withPath(
                        "/api/v1/namespaces/%s/secrets?labelSelector=owner%%3Dhelm%%2Cname%%3D%s"
                                .formatted(namespace, name))
                .andReturn(200, list.build())
                .once();
    }

    private String patched() throws InterruptedException {
        var last = server.getLastRequest();
        assertEquals("PATCH", last.getMethod());
        return last.getUtf8Body();
    }

    private static Map<String, String> of(String name, String namespace) {
        return Map.of(
                "meta.helm.sh/release-name", name, "meta.helm.sh/release-namespace", namespace);
    }

    @Test
    void aDefinitionOfAReleaseThatIsGoneIsHandedOver() throws InterruptedException {
        kept(of("old", "there"));
        releases("there", "old");
        KeptDefinition.handOver(client, "new", "here");
        String patch = patched();
        assertTrue(patch.contains("\"new\"") && patch.contains("\"here\""), patch);
        assertTrue(patch.contains("\"Helm\""), patch);
    }

    @Test
    void aDefinitionThatWasAppliedByHandIsHandedOver() throws InterruptedException {
        kept(Map.of());
        KeptDefinition.handOver(client, "new", "here");
        String patch = patched();
        assertTrue(patch.contains("\"new\"") && patch.contains("\"here\""), patch);
    }

    @Test
    void aDefinitionOfAnotherReleaseStaysItsOwn() throws InterruptedException {
        kept(of("old", "there"));
        releases("there", "old", "sh.helm.release.v1.old.v1");
        var refusal =
                assertThrows(Refusal.class, () -> KeptDefinition.handOver(client, "new", "here"));
        assertTrue(
                String.valueOf(refusal.getMessage()).contains("'old' in namespace 'there'"),
                refusal::getMessage);
        assertEquals("GET", server.getLastRequest().getMethod());
    }

    @Test
    void ourOwnDefinitionIsLeftToHelm() throws InterruptedException {
        kept(of("new", "here"));
        KeptDefinition.handOver(client, "new", "here");
        assertEquals("GET", server.getLastRequest().getMethod());
    }
}
