package dev.ensemble.operator.tool;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpServer;

import java.io.IOException;
import java.io.Reader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;

/// A member that does nothing but tell a status: what `ensemble up` needs of a server.
///
/// With the setting `fake.exit` it ends at once with that code.
final class FakeMember {
    private FakeMember() {}

    public static void main(String[] args) throws IOException {
        Properties file = new Properties();
        try (Reader reader = Files.newBufferedReader(Path.of(args[0]))) {
            file.load(reader);
        }
        String exit = file.getProperty("fake.exit");
        if (exit != null) {
            System.out.println("tickTime: 'x' is not valid");
            System.exit(Integer.parseInt(exit));
        }
        int port = Integer.parseInt(file.getProperty("admin.serverPort"));
        HttpServer server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        byte[] status =
                ("{\"myid\": %s, \"role\": \"%s\", \"serving\": true,"
                                + " \"safeToStop\": {\"value\": true, \"reasons\": []}}")
                        .formatted(args[1], args[1].equals("1") ? "leader" : "follower")
                        .getBytes(UTF_8);
        server.createContext(
                "/v1/status",
                exchange -> {
                    exchange.sendResponseHeaders(200, status.length);
                    try (var out = exchange.getResponseBody()) {
                        out.write(status);
                    }
                });
        server.start();
    }
}
