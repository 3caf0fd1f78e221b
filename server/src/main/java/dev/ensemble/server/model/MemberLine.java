package dev.ensemble.server.model;

import org.jspecify.annotations.Nullable;

import java.io.Serial;
import java.util.ArrayList;
import java.util.Locale;

/// Reads `server.N=host:peerPort:electionPort[|...][:role][;[clientHost:]clientPort]`.
public final class MemberLine {
    private static final String FORM =
            "it must be"
                + " host:peerPort:electionPort[:participant|observer][;[clientHost:]clientPort], an"
                + " IPv6 address in brackets, several addresses with | between";

    /// An id that ZooKeeper would take and this server does not.
    public static final class UnknownId extends IllegalArgumentException {
        @Serial private static final long serialVersionUID = 1;

        UnknownId(String text) {
            super(text);
        }
    }

    private final String key;
    private final String value;
    private String rest;

    private MemberLine(String key, String value) {
        this.key = key;
        this.value = value;
        this.rest = value;
    }

    /// Reads a whole line.
    ///
    /// @param line `server.N=...`
    /// @throws IllegalArgumentException with a text that says what would be valid
    public static Ensemble.Member parse(String line) {
        int equals = line.indexOf('=');
        String key = equals < 0 ? line : line.substring(0, equals).strip();
        if (equals < 0 || !key.startsWith("server.")) {
            throw new IllegalArgumentException(
                    line + " is not valid: it must be server.N=host:peerPort:electionPort...");
        }
        return parse(key.substring("server.".length()), line.substring(equals + 1).strip());
    }

    /// @param id what follows `server.`
    /// @throws IllegalArgumentException with a text that says what would be valid
    public static Ensemble.Member parse(String id, String value) {
        String key = "server." + id;
        int myid;
        try {
            myid = Integer.parseInt(id);
        } catch (NumberFormatException _) {
            myid = -1;
        }
        if (myid < 1 || myid > Ensemble.MAX_MYID) {
            String text =
                    key
                            + " is not valid: the id of a member must be a whole number from 1 to "
                            + Ensemble.MAX_MYID;
            throw myid < 1 ? new IllegalArgumentException(text) : new UnknownId(text);
        }
        return new MemberLine(key, value).parse(myid);
    }

    private Ensemble.Member parse(int myid) {
        String client = null;
        int semicolon = rest.indexOf(';');
        if (semicolon >= 0) {
            client = client(rest.substring(semicolon + 1).strip());
            rest = rest.substring(0, semicolon).strip();
        }
        String all = rest;
        var addresses = new ArrayList<Ensemble.Member.Address>();
        Ensemble.@Nullable Role role = null;
        for (String each : all.split("\\|", -1)) {
            rest = each.strip();
            String host = host();
            String[] parts = rest.split(":", -1);
            if (parts.length < 2 || parts.length > 3) {
                throw malformed();
            }
            addresses.add(address(host, port(parts[0], 1), port(parts[1], 1)));
            Ensemble.Role said = parts.length == 3 ? role(parts[2]) : role;
            if (role != null && said != role) {
                throw invalid("every address must have the same role, or only the last one any");
            }
            role = said;
        }
        Ensemble.Member.Address first = addresses.getFirst();
        return new Ensemble.Member(
                myid,
                first.host(),
                first.port(),
                first.electionPort(),
                role == null ? Ensemble.Role.PARTICIPANT : role,
                client,
                0,
                addresses.subList(1, addresses.size()));
    }

    private Ensemble.Member.Address address(String host, int port, int electionPort) {
        if (port == electionPort) {
            throw invalid("the ports for peers and for elections must differ");
        }
        return new Ensemble.Member.Address(host, port, electionPort);
    }

    /// Takes the host and the colon behind it off what is left.
    private String host() {
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

    private String client(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 0) {
            return "0.0.0.0:" + port(text, 0);
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
        String shown = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
        return shown + ":" + port(text.substring(colon + 1), 0);
    }

    private int port(String text, int least) {
        try {
            int port = Integer.parseInt(text.strip());
            if (port >= least && port <= 65535) {
                return port;
            }
        } catch (NumberFormatException _) {
            throw malformed();
        }
        throw invalid("a port must be from " + least + " to 65535");
    }

    private Ensemble.Role role(String text) {
        return switch (text.strip().toLowerCase(Locale.ROOT)) {
            case "participant" -> Ensemble.Role.PARTICIPANT;
            case "observer" -> Ensemble.Role.OBSERVER;
            default -> throw invalid("the role must be participant or observer");
        };
    }

    private IllegalArgumentException malformed() {
        return invalid(FORM);
    }

    private IllegalArgumentException invalid(String valid) {
        return new IllegalArgumentException(key + "=" + value + " is not valid: " + valid);
    }
}
