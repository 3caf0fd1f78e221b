package dev.ensemble.server.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ensemble.server.node.Config;
import dev.ensemble.server.node.ServerNode;
import dev.ensemble.server.tls.Authority;
import dev.ensemble.server.tool.cli.Shell;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// `ensemble cli` with TLS, as a client's configuration has it.
@Timeout(120)
final class CliTlsTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final Path folder;
    private final ServerNode node;
    private final PrintStream usualOut = System.out;
    private final PrintStream usualErr = System.err;

    CliTlsTest(@TempDir Path folder) throws Exception {
        this.folder = folder;
        var authority = new Authority("all");
        authority.pem(folder.resolve("ca.pem"));
        authority.issue("CN=server", "ip:127.0.0.1").pair(folder, "server");
        authority.issue("CN=someone").store(folder.resolve("client.p12"), "PKCS12", "secret");
        Path file =
                Files.writeString(
                        folder.resolve("zoo.cfg"),
                        "dataDir="
                                + folder.resolve("d")
                                + "\nsecureClientPort=0\nsecureClientPortAddress=127.0.0.1\n"
                                + "admin.serverAddress=127.0.0.1\nadmin.serverPort=0\n"
                                + "4lw.commands.whitelist=*\nssl.keyStore.location="
                                + folder.resolve("server.crt")
                                + "\nssl.trustStore.location="
                                + folder.resolve("ca.pem")
                                + "\n");
        node = ServerNode.start(Config.load(file, OptionalInt.empty()));
    }

    @BeforeEach
    void capture() {
        System.setOut(new PrintStream(out, true, UTF_8));
        System.setErr(new PrintStream(err, true, UTF_8));
    }

    @AfterEach
    void stop() {
        System.setOut(usualOut);
        System.setErr(usualErr);
        node.close();
    }

    private int run(String host, String configuration, String... command) throws Exception {
        Path file = Files.writeString(folder.resolve("client.cfg"), configuration);
        String[] options = {
            "cli",
            "-server",
            host + ":" + node.ports().secureClient(),
            "-timeout",
            "20000",
            "-waitforconnection",
            "-client-configuration",
            file.toString()
        };
        String[] all = java.util.Arrays.copyOf(options, options.length + command.length);
        System.arraycopy(command, 0, all, options.length, command.length);
        out.reset();
        err.reset();
        return Main.commandLine().execute(all);
    }

    private String stores() {
        return "zookeeper.client.secure=true\n"
                + "zookeeper.clientCnxnSocket=org.apache.zookeeper.ClientCnxnSocketNetty\n"
                + "zookeeper.ssl.keyStore.location="
                + folder.resolve("client.p12")
                + "\nzookeeper.ssl.keyStore.password=secret\n"
                + "zookeeper.ssl.trustStore.location="
                + folder.resolve("ca.pem")
                + "\n";
    }

    @Test
    void aCommandRunsOverTls() throws Exception {
        assertEquals(Shell.OK, run("127.0.0.1", stores(), "create", "/t", "hello"), err::toString);
        assertEquals(Shell.OK, run("127.0.0.1", stores(), "get", "/t"));
        assertEquals("hello\n", out.toString(UTF_8));
        assertEquals(Shell.OK, run("127.0.0.1", stores(), "whoami"));
        assertTrue(out.toString(UTF_8).contains("x509: CN=someone"), out.toString(UTF_8));
    }

    @Test
    @DisplayName("b328: every admin command is answered where there is no plaintext port")
    void adminCommandsWithoutAPlaintextPort() throws Exception {
        assertEquals(0, node.ports().client());
        try (HttpClient http = HttpClient.newHttpClient()) {
            Matcher names = Pattern.compile("\">(\\w+)</a>").matcher(page(http, "").body());
            int count = 0;
            while (names.find()) {
                String name = names.group(1);
                if (!name.equals("restore") && !name.equals("snapshot")) {
                    HttpResponse<String> answer = page(http, name);
                    assertEquals(200, answer.statusCode(), name + ": " + answer.body());
                    assertTrue(answer.body().contains("\"command\""), answer::body);
                    count++;
                }
            }
            assertTrue(count > 20, "commands: " + count);
            assertTrue(page(http, "conf").body().contains("\"client_port\" : -1"));
        }
    }

    private HttpResponse<String> page(HttpClient http, String name) throws Exception {
        var at = URI.create("http://127.0.0.1:" + node.ports().admin() + "/commands/" + name);
        return http.send(
                HttpRequest.newBuilder(at).header("Authorization", "ip").build(),
                HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void aServerMustBeWhoItShouldBe() throws Exception {
        assertEquals(Shell.NOT_CONNECTED, run("localhost", stores() + "x=\n", "ls", "/"));
        assertTrue(err.toString(UTF_8).contains("No name matching localhost found"), err::toString);
        String anyone = stores() + "zookeeper.ssl.hostnameVerification=false\n";
        assertEquals(Shell.OK, run("localhost", anyone, "ls", "/"), err::toString);
    }

    @Test
    void aWrongFileIsRefused() throws Exception {
        String wrong = stores().replace("password=secret", "password=guessed");
        assertEquals(Shell.WRONG_USAGE, run("127.0.0.1", wrong, "ls", "/"));
        assertTrue(
                err.toString(UTF_8).contains("-client-configuration: ssl.keyStore."),
                err.toString(UTF_8));
    }
}
