package dev.ensemble.operator.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.operator.ensemble.HttpEnsembleClient;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/// `ensemble up` with processes of its own; the server in them is [FakeMember].
@Timeout(120)
final class UpLocalTest {
    private static final String HEAD =
            "apiVersion: ensemble.dev/v1alpha1\nkind: Ensemble\nmetadata: {name: orders}\n";

    @TempDir private Path temp;
    private final HttpEnsembleClient client = new HttpEnsembleClient(Duration.ofSeconds(5));
    private final StringWriter printed = new StringWriter();
    private final List<Members> started = new ArrayList<>();

    @AfterEach
    void stop() {
        started.forEach(Members::stop);
        client.close();
    }

    private record Fakes() implements Members.Program {
        @Override
        public List<String> command(Path configFile, int myid) {
            return List.of(
                    ProcessHandle.current().info().command().orElseThrow(),
                    "-XX:TieredStopAtLevel=1",
                    "-cp",
                    System.getProperty("java.class.path"),
                    FakeMember.class.getName(),
                    configFile.toString(),
                    Integer.toString(myid));
        }

        @Override
        public Map<String, String> environment() {
            return Map.of();
        }
    }

    private LocalDir dir() {
        return new LocalDir(temp.resolve("orders"));
    }

    private UpLocal up() {
        return new UpLocal(dir(), new Fakes(), client, new PrintWriter(printed), "ensemble");
    }

    private Members start(String spec) throws InterruptedException {
        Members members = up().start(EnsembleFile.parse("x.yaml", HEAD + spec), null);
        started.add(members);
        return members;
    }

    @Test
    void startsServesStopsAndFindsItsDataAgain() throws Exception {
        Members members = start("spec: {replicas: 3}");
        LocalDir.Identity identity = members.identity();
        up().welcome(members);
        String says = printed.toString();
        assertTrue(says.contains(identity.connect()), says);
        assertTrue(says.contains("leader"), says);
        String file = Files.readString(dir().configFile(2));
        assertTrue(file.contains("server.3=127.0.0.1:"), file);
        assertTrue(file.contains("ensembleId=" + identity.ensembleId()), file);
        members.stop();
        assertNull(dir().running());

        Members again = start("spec: {replicas: 3, config: {tickTime: '500'}}");
        assertEquals(identity, again.identity(), "the ports and the identity stay");
        assertTrue(Files.readString(dir().configFile(1)).contains("tickTime=500"));
    }

    @Test
    void aMemberThatIsKilledIsStartedAgain() throws Exception {
        Members members = start("spec: {replicas: 1}");
        long first = members.pid(1);
        var watching =
                CompletableFuture.runAsync(() -> {
                    try {
                        up().watch(members);
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                });
        ProcessHandle killed = ProcessHandle.of(first).orElseThrow();
        assertTrue(killed.destroyForcibly());
        long second = first;
        while (second == first && !watching.isDone()) {
            Thread.onSpinWait();
            second = members.pid(1);
        }
        assertNotEquals(first, second);
        members.stop();
        watching.join();
    }

    @Test
    void downStopsMembersWhoseSupervisorIsGone() throws Exception {
        Members members = start("spec: {replicas: 1}");
        LocalDir.Pid member =
                Objects.requireNonNull(Objects.requireNonNull(dir().running()).members().get(1));
        dir().running(new LocalDir.Running(new LocalDir.Pid(1, 12345), Map.of(1, member)));
        Refusal refusal = assertThrows(Refusal.class, () -> start("spec: {replicas: 1}"));
        assertTrue(refusal.says().contains("still run"), refusal.says());
        Down.stop(dir(), new PrintWriter(printed));
        assertTrue(member.alive().isEmpty());
        assertTrue(ProcessHandle.of(1).isPresent(), "another process with that number lives on");
        assertEquals(1, members.identity().members());
    }

    @Test
    void aMemberThatCannotStartIsQuotedAndAllStop() {
        Refusal refusal =
                assertThrows(
                        Refusal.class,
                        () -> start("spec: {replicas: 1, config: {fake.exit: '3'}}"));
        assertTrue(refusal.says().contains("exit code 3"), refusal.says());
        assertTrue(refusal.says().contains("tickTime: 'x' is not valid"));
        assertNull(dir().running());
    }

    @Test
    void aPortInUseIsNamed() throws IOException {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
            int port = socket.getLocalPort();
            int base = port > 60000 ? port - 400 : port;
            Refusal refusal =
                    assertThrows(
                            Refusal.class,
                            () ->
                                    up().start(
                                                    EnsembleFile.parse(
                                                            "x.yaml", HEAD + "spec: {replicas: 1}"),
                                                    base));
            assertTrue(refusal.says().contains("port " + port + " ("), refusal.says());
            assertNull(dir().identity(), "nothing is left behind");
        }
    }

    @Test
    void anEnsembleThatExistsKeepsItsSize() throws Exception {
        start("spec: {replicas: 1}").stop();
        Refusal refusal = assertThrows(Refusal.class, () -> start("spec: {replicas: 3}"));
        assertTrue(
                refusal.says().startsWith("spec.replicas: '3' is not valid; valid: 1"),
                refusal.says());
    }
}
