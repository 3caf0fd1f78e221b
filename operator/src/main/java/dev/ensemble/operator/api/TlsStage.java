package dev.ensemble.operator.api;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/// How far the members have come with TLS, on the way to what the spec asks for. It is on record
/// with the StatefulSet and the ConfigMap, and moves one step at a time, each once every member
/// runs with the one before: so any two members understand each other at any moment, and clients
/// find a port as long as there is a member without the other one.
public record TlsStage(Side peers, Side clients) {
    /// Where keys and certificates come from: the operator's own authority.
    public static final String OPERATOR = "operator";

    public static final TlsStage OFF = new TlsStage(Side.OFF, Side.OFF);

    private static final String SECRET = "secret/";
    private static final Pattern TEXT =
            Pattern.compile("peers=([A-Za-z]+):(\\S*) clients=([A-Za-z]+):(\\S*)");

    /// How far one kind of connection has come.
    public enum Mode {
        /// Plaintext only.
        Off(0),
        /// Members speak plaintext and understand both; clients have a port for either.
        Accept(1),
        /// Members speak TLS and understand both. Not for clients.
        Prefer(2),
        /// TLS only.
        Required(3);

        private final int level;

        Mode(int level) {
            this.level = level;
        }

        /// {@return how far it is from plaintext, in steps}
        public int level() {
            return level;
        }
    }

    /// One kind of connection.
    ///
    /// @param source whose keys are used: `operator`, or `secret/` and a name; empty without TLS
    public record Side(Mode mode, String source) {
        static final Side OFF = new Side(Mode.Off, "");

        /// {@return the Secret that somebody else makes; null if it is the operator's own}
        public @Nullable String secret() {
            return source.startsWith(SECRET) ? source.substring(SECRET.length()) : null;
        }

        public boolean on() {
            return mode != Mode.Off;
        }

        /// {@return whether the operator makes the keys}
        public boolean ours() {
            return on() && source.equals(OPERATOR);
        }

        private Side at(int level, boolean peers) {
            Mode to =
                    Arrays.stream(Mode.values())
                            .filter(each -> each.level == level)
                            .findFirst()
                            .orElse(Mode.Off);
            return to == Mode.Off
                    ? OFF
                    : new Side(!peers && to == Mode.Prefer ? Mode.Accept : to, source);
        }

        /// Keys of another authority are taken while nobody needs to trust them yet.
        private Side next(Side to, boolean peers) {
            if (equals(to)) {
                return this;
            }
            if (!on()) {
                return new Side(Mode.Accept, to.source);
            }
            if (to.on() && !source.equals(to.source)) {
                return !peers || mode == Mode.Accept
                        ? new Side(mode, to.source)
                        : at(mode.level - 1, true);
            }
            int up = mode.level < to.mode.level ? 1 : -1;
            int level = mode.level + up;
            // Clients know no step between both ports and one.
            return at(!peers && up > 0 ? Mode.Required.level : level, peers);
        }

        private String text() {
            return mode + ":" + source;
        }
    }

    /// {@return what the spec asks for}
    ///
    /// @param name of the ensemble
    public static TlsStage target(String name, EnsembleSpec spec) {
        EnsembleSpec.Tls tls = spec.tls();
        EnsembleSpec.PeerTls peer = tls == null ? null : tls.peer();
        EnsembleSpec.ClientTls client = tls == null ? null : tls.client();
        return new TlsStage(
                peer == null
                        ? Side.OFF
                        : new Side(
                                Mode.valueOf(peer.mode().name()),
                                source(
                                        peer.secretName(),
                                        Labels.issuedForPeers(name),
                                        peer.issuerRef())),
                client == null
                        ? Side.OFF
                        : new Side(
                                client.mode() == EnsembleSpec.ClientMode.Required
                                        ? Mode.Required
                                        : Mode.Accept,
                                source(
                                        client.secretName(),
                                        Labels.issuedForClients(name),
                                        client.issuerRef())));
    }

    private static String source(
            @Nullable String secret, String issued, EnsembleSpec.@Nullable IssuerRef issuer) {
        return issuer != null
                ? SECRET + issued(issued, issuer)
                : secret == null ? OPERATOR : SECRET + secret;
    }

    /// {@return the name of the Secret that an issuer is asked to fill: with another issuer it is
    /// another Secret, since its authority is another one, which members must trust before they see
    /// its certificates}
    public static String issued(String prefix, EnsembleSpec.IssuerRef issuer) {
        var hash = new CRC32();
        String text = issuer.group() + "/" + issuer.kind() + "/" + issuer.name();
        hash.update(text.getBytes(StandardCharsets.UTF_8));
        return "%s-%08x".formatted(prefix, hash.getValue());
    }

    /// {@return the step after this one on the way to another; this one if it is that}
    public TlsStage next(TlsStage to) {
        return new TlsStage(peers.next(to.peers, true), clients.next(to.clients, false));
    }

    /// {@return as it is put on record}
    public String text() {
        return "peers=" + peers.text() + " clients=" + clients.text();
    }

    /// {@return in words for people}
    public String says() {
        return "members %s, clients %s"
                .formatted(
                        switch (peers.mode()) {
                            case Off -> "plaintext";
                            case Accept -> "plaintext, and understand both";
                            case Prefer -> "TLS, and understand both";
                            case Required -> "TLS only";
                        },
                        switch (clients.mode()) {
                            case Off -> "plaintext";
                            case Accept, Prefer -> "both";
                            case Required -> "TLS only";
                        });
    }

    /// {@return what is on record; null if it cannot be read}
    public static @Nullable TlsStage parse(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches()) {
            return null;
        }
        try {
            return new TlsStage(
                    new Side(Mode.valueOf(parts.group(1)), parts.group(2)),
                    new Side(Mode.valueOf(parts.group(3)), parts.group(4)));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /// {@return how far an ensemble has come that an older operator has made, which kept no record}
    ///
    /// @param file its `zoo.cfg`
    /// @param secrets names of the Secrets in its pods, by the name of the volume
    public static TlsStage found(String file, Map<String, String> secrets) {
        boolean speaks = file.contains("\nsslQuorum=true\n");
        boolean both = file.contains("\nportUnification=true\n");
        String peer = secrets.get("tls-peer");
        String client = secrets.get("tls-client");
        return new TlsStage(
                peer == null || (!speaks && !both)
                        ? Side.OFF
                        : new Side(
                                !speaks ? Mode.Accept : both ? Mode.Prefer : Mode.Required,
                                SECRET + peer),
                client == null || !file.contains("\nsecureClientPort=")
                        ? Side.OFF
                        : new Side(Mode.Accept, SECRET + client));
    }
}
