package dev.ensemble.operator.reconcile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.operator.plan.Reason;

import io.fabric8.kubernetes.api.model.APIResourceListBuilder;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSetBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// What becomes of each refusal of the API server: some are answers, the rest are errors that the
/// framework tries again.
@EnableKubernetesMockClient
@Timeout(60)
final class KubeClusterTest {
    private static final String PODS = "/api/v1/namespaces/shop/pods/orders-0";
    private static final String CLAIMS =
            "/api/v1/namespaces/shop/persistentvolumeclaims/data-orders-0";
    private static final String SETS = "/apis/apps/v1/namespaces/shop/statefulsets/orders";

    @SuppressWarnings("NullAway.Init") // The extension sets it.
    private KubernetesMockServer server;

    @SuppressWarnings("NullAway.Init") // The extension sets it.
    private KubernetesClient client;

    private static final class NoCaches implements KubeCluster.Caches {
        @Override
        public <T> Set<T> of(Class<T> type) {
            return Set.of();
        }
    }

    private KubeCluster cluster() {
        // Tried once: the mock has one answer for each request, and the framework tries again.
        client.getConfiguration().setRequestRetryBackoffLimit(0);
        return new KubeCluster(client, new NoCaches(), true, new AtomicLong());
    }

    private static Status status(int code, String message) {
        return new StatusBuilder().withCode(code).withMessage(message).build();
    }

    private void podIs(String uid) {
        server.expect()
                .get()
                .withPath(PODS)
                .andReturn(
                        200,
                        new PodBuilder()
                                .withNewMetadata()
                                .withName("orders-0")
                                .withNamespace("shop")
                                .withUid(uid)
                                .withResourceVersion("7")
                                .endMetadata()
                                .build())
                .always();
    }

    private static final String CERTIFICATES =
            "/apis/cert-manager.io/v1/namespaces/shop/certificates";

    private static GenericKubernetesResource certificate() {
        return new GenericKubernetesResourceBuilder()
                .withApiVersion("cert-manager.io/v1")
                .withKind("Certificate")
                .withNewMetadata()
                .withName("orders-tls-peer-1")
                .withNamespace("shop")
                .addNewOwnerReference()
                .withUid("99")
                .endOwnerReference()
                .endMetadata()
                .build();
    }

    @Test
    void withoutCertManagerNothingIsAskedOfIt() {
        assertEquals(new Cluster.Issue.Impossible(), cluster().issue(certificate()));
        assertTrue(requests().stream().allMatch(each -> each.startsWith("GET")));
    }

    @Test
    void aCertificateIsAskedForOnceAndWaitedFor() {
        server.expect()
                .get()
                .withPath("/apis/cert-manager.io/v1")
                .andReturn(200, new APIResourceListBuilder().withGroupVersion("x").build())
                .once();
        server.expect().post().withPath(CERTIFICATES).andReturn(201, certificate()).once();
        assertEquals(
                new Cluster.Issue.Under("it was asked for just now"),
                cluster().issue(certificate()));
        GenericKubernetesResource there = certificate();
        certificateIs(there);
        assertEquals(
                new Cluster.Issue.Under("cert-manager has not looked at it yet"),
                cluster().issue(certificate()));
        there = certificate();
        there.setAdditionalProperty("status", ready("False", "no such issuer"));
        certificateIs(there);
        assertEquals(new Cluster.Issue.Under("no such issuer"), cluster().issue(certificate()));
        there = certificate();
        there.setAdditionalProperty("status", ready("True", "up to date"));
        certificateIs(there);
        assertEquals(new Cluster.Issue.Done(), cluster().issue(certificate()));
        there = certificate();
        there.getMetadata().setOwnerReferences(List.of());
        certificateIs(there);
        assertThrows(Cluster.NotOurs.class, () -> cluster().issue(certificate()));
    }

    private static Map<String, Object> ready(String is, String message) {
        return Map.of(
                "conditions", List.of(Map.of("type", "Ready", "status", is, "message", message)));
    }

    private void certificateIs(GenericKubernetesResource there) {
        server.expect()
                .get()
                .withPath(CERTIFICATES + "/orders-tls-peer-1")
                .andReturn(200, there)
                .once();
    }

    @Test
    void theBudgetsNoIsAnAnswer() {
        server.expect()
                .post()
                .withPath(PODS + "/eviction")
                .andReturn(429, status(429, "budget"))
                .once();
        assertFalse(cluster().evict("shop", "orders-0", "uid"));
    }

    @ParameterizedTest
    @ValueSource(ints = {403, 409, 500})
    void anyOtherRefusalOfAnEvictionIsAnError(int code) {
        server.expect()
                .post()
                .withPath(PODS + "/eviction")
                .andReturn(code, status(code, "no"))
                .always();
        var error =
                assertThrows(
                        KubernetesClientException.class,
                        () -> cluster().evict("shop", "orders-0", "uid"));
        assertEquals(code, error.getCode());
    }

    @Test
    void anotherPodOfThatNameIsLeftAlone() {
        podIs("another");
        assertFalse(cluster().delete("shop", "orders-0", "uid"));
        assertTrue(requests().stream().noneMatch(each -> each.startsWith("DELETE")));
    }

    @ParameterizedTest
    @ValueSource(ints = {409})
    void aPodThatChangedMeanwhileIsLeftAlone(int code) {
        podIs("uid");
        server.expect().delete().withPath(PODS).andReturn(code, status(code, "no")).always();
        assertFalse(cluster().delete("shop", "orders-0", "uid"));
    }

    @Test
    void aPodThatCannotBeDeletedIsAnError() {
        podIs("uid");
        server.expect().delete().withPath(PODS).andReturn(500, status(500, "etcd")).always();
        var error =
                assertThrows(
                        KubernetesClientException.class,
                        () -> cluster().delete("shop", "orders-0", "uid"));
        assertEquals(Reason.ApiError, EnsembleReconciler.trouble(error).reason());
        assertEquals("etcd", EnsembleReconciler.trouble(error).message());
    }

    private static StatefulSet set() {
        return new StatefulSetBuilder()
                .withNewMetadata()
                .withName("orders")
                .withNamespace("shop")
                .withUid("uid")
                .withResourceVersion("7")
                .addNewOwnerReference()
                .withUid("owner")
                .endOwnerReference()
                .endMetadata()
                .withNewSpec()
                .withReplicas(3)
                .endSpec()
                .build();
    }

    @Test
    void aStatefulSetIsOrphanedByUidAndVersion() {
        server.expect().delete().withPath(SETS).andReturn(200, status(200, "")).once();
        assertTrue(cluster().orphan(set()));
        String body = bodies();
        assertTrue(body.contains("\"propagationPolicy\":\"Orphan\""), body);
        assertTrue(body.contains("\"resourceVersion\":\"7\""), body);
        assertTrue(body.contains("\"uid\":\"uid\""), body);
    }

    @Test
    void aStatefulSetThatChangedMeanwhileStays() {
        server.expect().delete().withPath(SETS).andReturn(409, status(409, "no")).always();
        assertFalse(cluster().orphan(set()));
    }

    private static StatefulSet larger() {
        return new StatefulSetBuilder(set()).editSpec().withReplicas(5).endSpec().build();
    }

    /// The number of members rests on what was read: it never goes onto a newer version.
    @Test
    void aConflictOfTheStatefulSetIsLookedAtAgain() {
        server.expect()
                .patch()
                .withPath(SETS + "?fieldManager=ensemble-operator&force=true")
                .andReturn(409, status(409, "no"))
                .always();
        assertTrue(cluster().apply(larger(), set()));
        String body = bodies();
        assertTrue(body.contains("\"resourceVersion\":\"7\""), body);
    }

    @Test
    void aMissingPermissionIsNamed() {
        server.expect()
                .patch()
                .withPath(SETS + "?fieldManager=ensemble-operator&force=true")
                .andReturn(403, status(403, "statefulsets is forbidden: cannot patch"))
                .always();
        var error =
                assertThrows(
                        KubernetesClientException.class, () -> cluster().apply(larger(), set()));
        var trouble = EnsembleReconciler.trouble(error);
        assertEquals(Reason.PermissionDenied, trouble.reason());
        assertEquals("statefulsets is forbidden: cannot patch", trouble.message());
    }

    /// A stale answer said that there is none, so nothing is known of how many members it has.
    @Test
    void aStatefulSetThatIsThereAfterAllIsLookedAtAgain() {
        server.expect().get().withPath(SETS).andReturn(200, set()).always();
        assertTrue(cluster().apply(larger(), null));
        assertTrue(requests().stream().noneMatch(each -> each.startsWith("PATCH")));
    }

    @Test
    void somebodyElsesObjectIsLeftAlone() {
        ConfigMap theirs =
                new ConfigMapBuilder()
                        .withNewMetadata()
                        .withName("orders-config")
                        .withNamespace("shop")
                        .endMetadata()
                        .build();
        server.expect()
                .get()
                .withPath("/api/v1/namespaces/shop/configmaps/orders-config")
                .andReturn(200, theirs)
                .always();
        ConfigMap ours =
                new ConfigMapBuilder(theirs)
                        .editMetadata()
                        .addNewOwnerReference()
                        .withUid("owner")
                        .endOwnerReference()
                        .endMetadata()
                        .build();
        assertThrows(Cluster.NotOurs.class, () -> cluster().apply(ours, null));
    }

    private static PersistentVolumeClaim claim() {
        return new PersistentVolumeClaimBuilder()
                .withNewMetadata()
                .withName("data-orders-0")
                .withNamespace("shop")
                .withUid("uid")
                .withResourceVersion("7")
                .endMetadata()
                .withNewSpec()
                .withNewResources()
                .addToRequests("storage", new Quantity("1Gi"))
                .endResources()
                .endSpec()
                .build();
    }

    @ParameterizedTest
    @ValueSource(ints = {403, 422})
    void aVolumeThatMayNotGrowIsAnAnswer(int code) {
        server.expect().get().withPath(CLAIMS).andReturn(200, claim()).always();
        server.expect()
                .put()
                .withPath(CLAIMS)
                .andReturn(code, status(code, "the class does not allow it"))
                .always();
        server.expect()
                .patch()
                .withPath(CLAIMS)
                .andReturn(code, status(code, "the class does not allow it"))
                .always();
        assertEquals("the class does not allow it", cluster().grow(claim(), 2L << 30));
    }

    @Test
    void aVolumeGrows() {
        server.expect().get().withPath(CLAIMS).andReturn(200, claim()).always();
        server.expect().put().withPath(CLAIMS).andReturn(200, claim()).always();
        server.expect().patch().withPath(CLAIMS).andReturn(200, claim()).always();
        assertNull(cluster().grow(claim(), 2L << 30));
        String body = bodies();
        assertTrue(body.contains("2147483648"), body);
    }

    @Test
    void anotherVolumeOfThatNameIsLeftAlone() {
        server.expect().get().withPath(CLAIMS).andReturn(200, claim()).always();
        assertFalse(cluster().deleteClaim("shop", "data-orders-0", "another"));
        assertTrue(requests().stream().noneMatch(each -> each.startsWith("DELETE")));
    }

    /// News that cannot be written holds up nothing.
    @ParameterizedTest
    @ValueSource(ints = {403, 409, 500})
    void anEventThatCannotBeWrittenIsLost(int code) {
        server.expect()
                .post()
                .withPath("/api/v1/namespaces/shop/events")
                .andReturn(code, status(code, "no"))
                .always();
        cluster()
                .tell(
                        new io.fabric8.kubernetes.api.model.EventBuilder()
                                .withNewMetadata()
                                .withName("orders.1")
                                .withNamespace("shop")
                                .endMetadata()
                                .addToAdditionalProperties(Map.of())
                                .build());
    }

    /// {@return what the server was asked since this was last called}
    private List<String> requests() {
        List<String> made = new ArrayList<>();
        for (int left = server.getRequestCount(); left > 0; left--) {
            try {
                var request = server.takeRequest(1, TimeUnit.SECONDS);
                if (request == null) {
                    break;
                }
                made.add(
                        "%s %s %s"
                                .formatted(
                                        request.getMethod(),
                                        request.getPath(),
                                        request.getBody().readUtf8()));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        return made;
    }

    private String bodies() {
        return String.join("\n", requests());
    }
}
