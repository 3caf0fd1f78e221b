package dev.ensemble.operator.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;

import dev.ensemble.operator.api.Ensemble;
import dev.ensemble.operator.api.EnsembleBackup;
import dev.ensemble.operator.api.EnsembleBackupSpec;
import dev.ensemble.operator.api.EnsembleBackupStatus;
import dev.ensemble.operator.api.EnsembleRecovery;
import dev.ensemble.operator.api.EnsembleRecoverySpec;
import dev.ensemble.operator.api.EnsembleRecoveryStatus;
import dev.ensemble.operator.api.EnsembleSpec;
import dev.ensemble.operator.api.S3Bucket;

import io.fabric8.kubernetes.api.model.DefaultKubernetesResourceList;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.kubernetes.client.utils.Serialization;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import picocli.CommandLine;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// What each command of the plugin prints, asks and answers, on a made-up API server.
@EnableKubernetesMockClient
@Timeout(60)
final class PluginTest {
    private static final String ENSEMBLES = "/apis/ensemble.dev/v1alpha1/namespaces/shop/ensembles";

    private static final String WELL =
            """
            apiVersion: ensemble.dev/v1alpha1
            kind: Ensemble
            metadata: {name: orders, namespace: shop, generation: 2}
            spec: {replicas: 3}
            status:
              observedGeneration: 2
              phase: Running
              ready: 2/2
              ensembleId: "12345678"
              leader: {member: orders-1, myid: 2, epoch: 3}
              members:
              - {myid: 1, name: orders-0, role: follower, ready: true, synced: true, safeToStop: false,
                 upToDate: true, restarts: 0, node: n1, reasons: []}
              - {myid: 2, name: orders-1, role: leader, ready: true, synced: true, upToDate: true, restarts: 0}
              conditions:
              - {type: Ready, status: "True", reason: AllMembersReady, message: fine, observedGeneration: 2}
            """;

    @SuppressWarnings("NullAway.Init") // The extension sets it.
    private KubernetesMockServer server;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        var words = new ArrayList<>(List.of("-n", "shop"));
        words.addAll(List.of(arguments));
        return Main.refusing(new CommandLine(new Plugin(_ -> server.createClient())))
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(words.toArray(String[]::new));
    }

    private static Ensemble read(String yaml) throws JsonProcessingException {
        return new ObjectMapper(new YAMLFactory()).readValue(yaml, Ensemble.class);
    }

    private void has(String yaml) throws JsonProcessingException {
        server.expect().get().withPath(ENSEMBLES + "/orders").andReturn(200, read(yaml)).always();
    }

    private void lists(Ensemble... all) {
        var list = new DefaultKubernetesResourceList<Ensemble>();
        list.setItems(List.of(all));
        server.expect().get().withPath(ENSEMBLES).andReturn(200, list).always();
    }

    @Test
    void statusIsATable() throws JsonProcessingException {
        has(WELL);
        assertEquals(0, run("status", "orders"), err::toString);
        assertEquals(
                """
                Ensemble orders: Running, 2/2 ready: fine

                MEMBER   POD        ROLE       READY   SYNCED   SAFE-TO-STOP   NODE
                1        orders-0   follower   yes     yes      no             n1
                2        orders-1   leader     yes     yes      unknown        -
                """,
                out.toString());
    }

    @Test
    void statusInJsonIsTheStatus() throws JsonProcessingException {
        has(WELL);
        assertEquals(0, run("status", "orders", "-o", "json"), err::toString);
        var status = new ObjectMapper().readTree(out.toString());
        assertEquals("orders-1", status.path("leader").path("member").asText());
        assertEquals(2, status.path("members").size());
    }

    @Test
    void theOnlyOneNeedsNoName() throws JsonProcessingException {
        lists(read(WELL));
        assertEquals(0, run("status"), err::toString);
        assertTrue(out.toString().startsWith("Ensemble orders: "), out::toString);
    }

    @Test
    void oneOfSeveralMustBeNamed() throws JsonProcessingException {
        lists(read(WELL), read(WELL.replace("name: orders,", "name: bills,")));
        assertEquals(1, run("status"));
        assertEquals(
                "ensemble: there are several Ensembles in namespace shop; name one of: orders,"
                        + " bills\n",
                err.toString());
    }

    @Test
    void whatIsNotThereIsSaid() {
        lists();
        assertEquals(1, run("why"));
        assertEquals("ensemble: there is no Ensemble in namespace shop\n", err.toString());
        assertEquals(1, run("why", "orders"));
        assertTrue(
                err.toString()
                        .endsWith("ensemble: there is no Ensemble orders in namespace shop\n"),
                err::toString);
    }

    @Test
    void whyTellsByItsExitCode() throws JsonProcessingException {
        has(WELL);
        assertEquals(0, run("why", "orders"), err::toString);
        assertEquals("All is well.\n", out.toString());
        server.reset();
        has(WELL.replace("status: \"True\"", "status: \"False\""));
        assertEquals(3, run("why", "orders"));
        assertTrue(
                out.toString().endsWith("Ready is False, AllMembersReady: fine\n"), out::toString);
    }

    @Test
    void restartSetsTheTime() throws JsonProcessingException, InterruptedException {
        has(WELL);
        server.expect()
                .patch()
                .withPath(ENSEMBLES + "/orders?fieldManager=fabric8")
                .andReturn(200, read(WELL))
                .once();
        server.expect().patch().withPath(ENSEMBLES + "/orders").andReturn(200, read(WELL)).once();
        assertEquals(0, run("restart", "orders"), err::toString);
        var last = server.getLastRequest();
        assertEquals("PATCH", last.getMethod());
        String body = last.getUtf8Body();
        assertTrue(
                body.matches("\\{\"spec\":\\{\"restartedAt\":\"[-0-9]{10}T[:0-9]{8}Z\"}}"), body);
        assertTrue(out.toString().startsWith("Set spec.restartedAt of orders"), out::toString);
    }

    @Test
    void aRefusalOfTheApiServerIsInItsWords() {
        server.expect()
                .get()
                .withPath(ENSEMBLES + "/orders")
                .andReturn(
                        403, new StatusBuilder().withCode(403).withMessage("kim may not").build())
                .always();
        assertEquals(1, run("restart", "orders"));
        assertEquals("ensemble: the API server refuses: kim may not\n", err.toString());
    }

    @Test
    void logsAreThoseOfTheMember() throws JsonProcessingException {
        has(WELL);
        String logs = "/api/v1/namespaces/shop/pods/orders-1/log?pretty=false";
        server.expect().get().withPath(logs + "&tailLines=200").andReturn(200, "now\n").always();
        server.expect()
                .get()
                .withPath(logs + "&previous=true&tailLines=7")
                .andReturn(200, "before\n")
                .always();
        assertEquals(0, run("logs", "orders", "1"), err::toString);
        assertEquals(0, run("logs", "orders", "1", "--previous", "--tail", "7"), err::toString);
        assertEquals("now\nbefore\n", out.toString());
    }

    @Test
    void withoutALeaderNobodyCanHandOverOrServe() throws JsonProcessingException {
        has(WELL.replace("leader: {member", "# leader: {member"));
        assertEquals(1, run("transfer-leader", "orders", "0"));
        assertEquals(1, run("cli", "orders", "ls", "/"));
        assertEquals(
                "ensemble: orders has no leader\nensemble: orders has no leader\n", err.toString());
    }

    @Test
    void theCommandLineTakesNoFileForTlsWhereThereIsNone() throws JsonProcessingException {
        has(WELL);
        assertEquals(1, run("cli", "orders", "--client-configuration", "tls.cfg", "ls", "/"));
        assertEquals(
                "ensemble: orders has no TLS for clients (spec.tls.client): leave out"
                        + " --client-configuration\n",
                err.toString());
    }

    @Test
    void theCommandLineNeedsAFileWhereClientsSpeakTlsOnly() throws JsonProcessingException {
        has(WELL.replace("{replicas: 3}", "{replicas: 3, tls: {client: {mode: Required}}}"));
        assertEquals(1, run("cli", "orders", "ls", "/"));
        assertTrue(
                err.toString()
                        .endsWith(
                                "ensemble: orders speaks TLS only with clients: name a file that"
                                        + " has the keys of TLS with --client-configuration\n"),
                err::toString);
    }

    @Test
    void aHandOverNeedsTheOperatorsKey() throws JsonProcessingException {
        has(WELL);
        assertEquals(1, run("transfer-leader", "orders", "0", "--operator-namespace", "there"));
        assertTrue(
                err.toString()
                        .startsWith(
                                "ensemble: there is no Secret ensemble-operator-key in namespace"
                                        + " there"),
                err::toString);
    }

    private static final String BACKUPS =
            "/apis/ensemble.dev/v1alpha1/namespaces/shop/ensemblebackups";

    private static final String RECOVERIES =
            "/apis/ensemble.dev/v1alpha1/namespaces/shop/ensemblerecoveries";

    @Test
    void aBackupIsMadeAndWaitedFor() throws JsonProcessingException {
        has(WELL);
        server.expect().post().withPath(BACKUPS).andReturn(201, backup(null)).once();
        server.expect()
                .get()
                .withPath(BACKUPS + "/orders-b1")
                .andReturn(
                        200,
                        backup(
                                EnsembleBackupStatus.of(
                                        "Running", "Taking", "orders-1 gives it", null, null)))
                .once();
        server.expect()
                .get()
                .withPath(BACKUPS + "/orders-b1")
                .andReturn(200, backup(complete("daily/orders-b1.ensemble")))
                .once();
        assertEquals(
                0, run("backup", "orders", "--claim", "backups", "--path", "daily"), err::toString);
        assertEquals(
                """
                EnsembleBackup orders-b1
                Running: orders-1 gives it
                Complete: it is good
                daily/orders-b1.ensemble in claim backups: 0x400000005 of 2026-01-31T11:59:00Z, 9 znodes
                """,
                out.toString());
    }

    private static EnsembleBackupStatus complete(String file) {
        return new EnsembleBackupStatus(
                "Complete",
                "Verified",
                "it is good",
                null,
                null,
                file,
                "2026-01-31T11:59:00Z",
                "0x400000005",
                "id",
                9L,
                77L,
                true);
    }

    @Test
    void aBackupGoesToABucketAsTheResourceHasIt() throws JsonProcessingException {
        has(WELL);
        List<String> asked = new ArrayList<>();
        server.expect()
                .post()
                .withPath(BACKUPS)
                .andReply(
                        201,
                        request -> {
                            asked.add(request.getUtf8Body());
                            return backup(null);
                        })
                .once();
        server.expect()
                .get()
                .withPath(BACKUPS + "/orders-b1")
                .andReturn(200, backup(complete("daily/orders-b1.ensemble")))
                .once();
        assertEquals(
                0,
                run(
                        "backup",
                        "orders",
                        "--bucket=vault",
                        "--prefix=daily",
                        "--endpoint=https://minio.storage.svc:9000",
                        "--region=eu-central-1",
                        "--path-style=false",
                        "--secret=vault-key"),
                err::toString);
        assertEquals(
                new ObjectMapper()
                        .readTree(
                                """
                                {"ensemble": "orders", "destination": {"s3": {"bucket": "vault", "prefix": "daily",
                                 "endpoint": "https://minio.storage.svc:9000", "region": "eu-central-1",
                                 "pathStyle": false, "secretName": "vault-key"}}}
                                """),
                new ObjectMapper().readTree(asked.getFirst()).path("spec"));
        assertTrue(
                out.toString().contains("daily/orders-b1.ensemble in bucket vault: 0x400000005"),
                out::toString);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    backup orders                                    | name either --claim or --bucket
                    backup orders --claim c --bucket bbb --secret s  | name either --claim or --bucket
                    backup orders --bucket bbb                       | --bucket bbb needs --secret, with the key for it
                    backup orders --claim c --prefix p               | --prefix 'p' has no meaning without --bucket
                    backup orders --bucket bbb --secret s --path p   | --path 'p' has no meaning without --claim
                    backup orders --claim c --region r               | --region 'r' has no meaning without --bucket
                    recover orders --file f                          | name either --claim or --bucket
                    recover orders --file f --from-backup b          | name either --from-backup or --file
                    recover orders --claim c                         | --claim 'c' has no meaning without --file
                    recover orders --file f --claim c --approve 0123456789ab | leave out where that is
                    """)
    void whereABackupIsMustBeClear(String line, String refusal) throws JsonProcessingException {
        has(WELL);
        assertEquals(1, run(line.split(" ")));
        assertTrue(err.toString().contains(refusal), err::toString);
    }

    private EnsembleSpec.FromBackup askedFor(String... more) throws JsonProcessingException {
        has(WELL);
        recoveries();
        List<EnsembleRecovery> asked = new ArrayList<>();
        server.expect()
                .post()
                .withPath(RECOVERIES)
                .andReply(
                        201,
                        request -> {
                            asked.add(
                                    Serialization.unmarshal(
                                            request.getUtf8Body(), EnsembleRecovery.class));
                            return recovery(null);
                        })
                .once();
        server.expect()
                .get()
                .withPath(RECOVERIES + "/orders-x7")
                .andReturn(200, recovery(planned()))
                .always();
        var words = new ArrayList<>(List.of("recover", "orders"));
        words.addAll(List.of(more));
        assertEquals(0, run(words.toArray(String[]::new)), err::toString);
        return Objects.requireNonNull(
                Objects.requireNonNull(asked.getFirst().getSpec()).fromBackup());
    }

    @Test
    void aRecoveryBeginsAgainWithAnEnsembleBackup() throws JsonProcessingException {
        EnsembleBackup made = backup(complete("daily/orders-b1.ensemble"));
        made.setSpec(
                new EnsembleBackupSpec(
                        "orders",
                        new EnsembleBackupSpec.Destination(
                                null,
                                new S3Bucket(
                                        "vault", "daily", null, "us-east-1", null, "vault-key")),
                        null));
        server.expect().get().withPath(BACKUPS + "/orders-b1").andReturn(200, made).always();
        assertEquals(
                new EnsembleSpec.FromBackup(
                        null,
                        new S3Bucket("vault", null, null, "us-east-1", null, "vault-key"),
                        "daily/orders-b1.ensemble"),
                askedFor("--from-backup", "orders-b1"));
    }

    @Test
    void aRecoveryBeginsAgainWithAFile() throws JsonProcessingException {
        assertEquals(
                new EnsembleSpec.FromBackup("backups", null, "daily/x.ensemble"),
                askedFor("--claim", "backups", "--file", "daily/x.ensemble"));
    }

    @Test
    void whatIsNotCompleteCannotBeRestored() throws JsonProcessingException {
        has(WELL);
        server.expect()
                .get()
                .withPath(BACKUPS + "/orders-b1")
                .andReturn(
                        200, backup(EnsembleBackupStatus.of("Failed", "JobFailed", "", null, null)))
                .always();
        assertEquals(1, run("recover", "orders", "--from-backup", "orders-b1"));
        assertEquals(1, run("recover", "orders", "--from-backup", "orders-b2"));
        assertEquals(
                """
                ensemble: EnsembleBackup orders-b1 is Failed: only one that is Complete can be restored
                ensemble: there is no EnsembleBackup orders-b2 in namespace shop
                """,
                err.toString());
    }

    private static EnsembleBackup backup(@Nullable EnsembleBackupStatus status) {
        var backup = new EnsembleBackup();
        backup.getMetadata().setName("orders-b1");
        backup.getMetadata().setNamespace("shop");
        backup.setStatus(status);
        return backup;
    }

    private static EnsembleRecovery recovery(@Nullable EnsembleRecoveryStatus status) {
        var recovery = new EnsembleRecovery();
        recovery.getMetadata().setName("orders-x7");
        recovery.getMetadata().setNamespace("shop");
        recovery.setSpec(new EnsembleRecoverySpec("orders", null, null));
        recovery.setStatus(status);
        return recovery;
    }

    private static EnsembleRecoveryStatus planned() {
        return new EnsembleRecoveryStatus(
                "Planned",
                "it goes on",
                "0123456789ab",
                null,
                List.of("orders-0 holds"),
                null,
                null);
    }

    private void recoveries(EnsembleRecovery... all) {
        var list = new DefaultKubernetesResourceList<EnsembleRecovery>();
        list.setItems(List.of(all));
        server.expect().get().withPath(RECOVERIES).andReturn(200, list).always();
    }

    @Test
    void aRecoveryIsAskedForAndItsPlanShown() throws JsonProcessingException {
        has(WELL);
        recoveries();
        server.expect().post().withPath(RECOVERIES).andReturn(201, recovery(null)).once();
        String path = RECOVERIES + "/orders-x7";
        server.expect().get().withPath(path).andReturn(200, recovery(null)).once();
        server.expect().get().withPath(path).andReturn(200, recovery(planned())).always();
        assertEquals(0, run("recover", "orders"), err::toString);
        assertEquals(
                """
                orders-0 holds

                Planned: it goes on

                If that is what should be done:
                kubectl ensemble recover orders -n shop --approve 0123456789ab
                """,
                out.toString());
    }

    @Test
    void onlyThePresentPlanCanBeApproved() throws JsonProcessingException, InterruptedException {
        has(WELL);
        recoveries(recovery(planned()));
        server.expect()
                .patch()
                .withPath(RECOVERIES + "/orders-x7")
                .andReturn(200, recovery(planned()))
                .once();
        assertEquals(1, run("recover", "orders", "--approve", "ba9876543210"));
        assertTrue(
                err.toString().contains("is not the plan any more, which is '0123456789ab'"),
                err::toString);
        assertEquals(0, run("recover", "orders", "--approve", "0123456789ab"), err::toString);
        assertEquals(
                "{\"spec\":{\"approvedPlan\":\"0123456789ab\"}}",
                server.getLastRequest().getUtf8Body());
    }

    @Test
    void withoutAPlanNothingCanBeApproved() throws JsonProcessingException {
        has(WELL);
        recoveries();
        assertEquals(1, run("recover", "orders", "--approve", "0123456789ab"));
        assertTrue(err.toString().contains("there is no plan for orders"), err::toString);
    }

    @Test
    void withoutACommandTheyAreNamed() {
        int code =
                Main.refusing(new CommandLine(new Plugin(_ -> server.createClient())))
                        .setErr(new PrintWriter(err, true))
                        .execute();
        assertEquals(CommandLine.ExitCode.USAGE, code);
        assertTrue(err.toString().contains("transfer-leader"), err::toString);
    }
}
