package dev.ensemble.server.node;

import dev.ensemble.server.model.Ensemble;

import org.jspecify.annotations.Nullable;

import java.util.Locale;

/// Reads `server.N=host:peerPort:electionPort[:role][;[clientHost:]clientPort]`.
final class MemberLine {
    private static final String FORM =
            "it must be"
                + " host:peerPort:electionPort[:participant|observer][;[clientHost:]clientPort], an"
                + " IPv6 address in brackets";

    private final String key;
    private final String value;
    private String rest;

    private MemberLine(String key, String value) {
        this.key = key;
        this.value = value;
        this.rest = value;
    }

    /// @param id what follows `server.`
    static Ensemble.Member parse(String id, String value) throws InvalidConfig {
        String key = "server." + id;
        int myid;
        try {
            myid = Integer.parseInt(id);
        } catch (NumberFormatException _) {
            myid = -1;
        }
        if (myid < 1 || myid > 255) {
            throw new InvalidConfig(
                    key + " is not valid: the id of a member must be a whole number from 1 to 255");
        }
        return new MemberLine(key, value).parse(myid);
    }

    private Ensemble.Member parse(int myid) throws InvalidConfig {
        if (value.indexOf('|') >= 0) {
            throw InvalidConfig.of(
                    key, value, "several addresses for one member are not supported; give one");
        }
        String client = null;
        int semicolon = rest.indexOf(';');
        if (semicolon >= 0) {
            client = client(rest.substring(semicolon + 1).strip());
            rest = rest.substring(0, semicolon).strip();
        }
        String host = host();
        String[] parts = rest.split(":", -1);
        if (parts.length < 2 || parts.length > 3) {
            throw malformed();
        }
        int port = port(parts[0], 1);
        int electionPort = port(parts[1], 1);
        if (port == electionPort) {
            throw InvalidConfig.of(key, value, "the ports for peers and for elections must differ");
        }
        return new Ensemble.Member(
                myid,
                host,
                port,
                electionPort,
                role(parts.length == 3 ? parts[2] : null),
                client,
                0);
    }

    /// Takes the host and the colon behind it off what is left.
    private String host() throws InvalidConfig {
        int end;
        String host;
        if (rest.startsWith("[")) {
            end = rest.indexOf(']') + 1;
            host = rest.substring(1, Math.max(1, end - 1));
        } else {
            end = rest.indexOf(':');
            host = rest.substring(0, Math.max(0, end));
        }
        if (host.isBlank() || end <= 0 || end >= rest.length() || rest.charAt(end) != ':') {
            throw malformed();
        }
        rest = rest.substring(end + 1);
        return host;
    }

    private String client(String text) throws InvalidConfig {
        int colon = text.lastIndexOf(':');
        if (colon < 0) {
            return new Endpoint("0.0.0.0", port(text, 0)).toString();
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.indexOf(':') >= 0) {
            throw malformed();
        }
        if (host.isBlank()) {
            throw malformed();
        }
        return new Endpoint(host, port(text.substring(colon + 1), 0)).toString();
    }

    private int port(String text, int least) throws InvalidConfig {
        try {
            int port = Integer.parseInt(text.strip());
            if (port >= least && port <= 65535) {
                return port;
            }
        } catch (NumberFormatException _) {
            throw malformed();
        }
        throw InvalidConfig.of(key, value, "a port must be from " + least + " to 65535");
    }

    private Ensemble.Role role(@Nullable String text) throws InvalidConfig {
        return switch (text == null ? "participant" : text.strip().toLowerCase(Locale.ROOT)) {
            case "participant" -> Ensemble.Role.PARTICIPANT;
            case "observer" -> Ensemble.Role.OBSERVER;
            default ->
                    throw InvalidConfig.of(key, value, "the role must be participant or observer");
        };
    }

    private InvalidConfig malformed() {
        return InvalidConfig.of(key, value, FORM);
    }
}
