package dev.ensemble.server.node;

import dev.ensemble.server.tls.ClientAuth;
import dev.ensemble.server.tls.TlsDialer;
import dev.ensemble.server.tls.TlsSettings;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// Reads the keys of TLS (`server/docs/tls.md`): two families, `ssl.*` and `ssl.quorum.*`, and who
/// uses them.
final class TlsConfig {
    private static final String CLIENT = "ssl.";
    private static final String QUORUM = "ssl.quorum.";
    private static final List<String> TYPES = List.of("JKS", "PEM", "PKCS12");
    private static final Map<String, String> TYPE_OF_ENDING =
            Map.of(".jks", "JKS", ".pem", "PEM", ".crt", "PEM", ".p12", "PKCS12", ".pfx", "PKCS12");

    /// What may follow the prefix.
    private static final Set<String> KEYS =
            Set.of(
                    "keyStore.location",
                    "keyStore.password",
                    "keyStore.passwordPath",
                    "keyStore.type",
                    "trustStore.location",
                    "trustStore.password",
                    "trustStore.passwordPath",
                    "trustStore.type",
                    "protocol",
                    "enabledProtocols",
                    "ciphersuites",
                    "hostnameVerification",
                    "clientHostnameVerification",
                    "allowReverseDnsLookup",
                    "crl",
                    "ocsp",
                    "clientAuth",
                    "context.supplier.class",
                    "handshakeDetectionTimeoutMillis",
                    "authProvider",
                    "sslProvider");

    /// Stands for the member's own id in the name of a file: all members have the same
    /// configuration, and each its own certificate.
    private static final String MYID = "{myid}";

    private final ConfigValues values;
    private final int myid;

    /// @param myid 0 if it is not known
    TlsConfig(ConfigValues values, int myid) {
        this.values = values;
        this.myid = myid;
    }

    /// {@return whether a key of a TLS family is one that is read}
    static boolean isKey(String key) {
        return (key.startsWith(QUORUM) && KEYS.contains(key.substring(QUORUM.length())))
                || (key.startsWith(CLIENT) && KEYS.contains(key.substring(CLIENT.length())));
    }

    Config.Tls read() throws InvalidConfig {
        Endpoint secure = secureEndpoint();
        boolean unified = values.bool("client.portUnification", false);
        boolean quorum = values.bool("sslQuorum", false);
        boolean both = values.bool("portUnification", false);
        boolean adminBoth = values.bool("admin.portUnification", false);
        boolean adminForced = values.bool("admin.forceHttps", false);
        boolean clients = secure != null || unified;
        boolean members = quorum || both || adminBoth || adminForced;
        for (String key : values.keys()) {
            boolean ofMembers = key.startsWith(QUORUM);
            if (ofMembers && !members) {
                values.warn(key + " has no effect: neither sslQuorum nor portUnification is true");
            } else if (key.startsWith(CLIENT) && !ofMembers && !clients) {
                values.warn(key + " has no effect: secureClientPort is not set");
            }
        }
        return new Config.Tls(
                secure,
                unified,
                clients ? family(CLIENT, values.bool("client.certReload", false)) : null,
                quorum,
                both,
                members ? family(QUORUM, values.bool("sslQuorumReloadCertFiles", false)) : null,
                adminForced ? Config.Https.ONLY : adminBoth ? Config.Https.BOTH : Config.Https.NONE,
                values.bool("admin.needClientAuth", false));
    }

    /// {@return what a client's file says; null if it does not want TLS}
    TlsDialer.@Nullable Settings dialing() throws InvalidConfig {
        if (!values.bool("client.secure", false)) {
            return null;
        }
        refuseClasses(CLIENT);
        return new TlsDialer.Settings(
                store(CLIENT + "keyStore."),
                store(CLIENT + "trustStore."),
                protocols(CLIENT),
                list(CLIENT + "ciphersuites"),
                values.bool(CLIENT + "hostnameVerification", true),
                values.bool(CLIENT + "crl", false),
                values.bool(CLIENT + "ocsp", false));
    }

    private @Nullable Endpoint secureEndpoint() throws InvalidConfig {
        String address = values.text("secureClientPortAddress");
        if (!values.has("secureClientPort")) {
            if (address != null) {
                throw InvalidConfig.of(
                        "secureClientPortAddress",
                        address,
                        "secureClientPort is not set beside it");
            }
            return null;
        }
        return new Endpoint(
                address == null ? "0.0.0.0" : address,
                values.number("secureClientPort", 0, 0, 65535));
    }

    private TlsSettings family(String prefix, boolean reload) throws InvalidConfig {
        refuseClasses(prefix);
        ClientAuth clientAuth =
                ClientAuth.valueOf(
                        values.oneOf(prefix + "clientAuth", "need", List.of("need", "want", "none"))
                                .toUpperCase(Locale.ROOT));
        TlsSettings.Store keyStore = store(prefix + "keyStore.");
        TlsSettings.Store trustStore = store(prefix + "trustStore.");
        if (keyStore == null) {
            throw new InvalidConfig(
                    prefix
                            + "keyStore.location is not set: TLS needs a file with a private key"
                            + " and its certificate");
        }
        boolean quorum = prefix.equals(QUORUM);
        if (trustStore == null && (quorum || clientAuth != ClientAuth.NONE)) {
            throw new InvalidConfig(
                    prefix
                            + "trustStore.location is not set: it must be a file with the"
                            + " certificates of those who are trusted"
                            + (quorum ? "" : ", or " + prefix + "clientAuth must be none"));
        }
        boolean verify = values.bool(prefix + "hostnameVerification", true);
        return new TlsSettings(
                prefix,
                keyStore,
                trustStore,
                protocols(prefix),
                list(prefix + "ciphersuites"),
                clientAuth,
                values.bool(prefix + "crl", false),
                values.bool(prefix + "ocsp", false),
                verify,
                verify && values.bool(prefix + "clientHostnameVerification", quorum),
                values.number(prefix + "handshakeDetectionTimeoutMillis", 5000, 1, 600_000),
                Math.max(0, handshakeLimit()),
                reload);
    }

    private int handshakeLimit() throws InvalidConfig {
        return values.number("netty.server.outstandingHandshake.limit", -1, -1, Integer.MAX_VALUE);
    }

    /// Code that is not part of the server is not loaded.
    private void refuseClasses(String prefix) throws InvalidConfig {
        String supplier = values.text(prefix + "context.supplier.class");
        if (supplier != null) {
            throw InvalidConfig.of(
                    prefix + "context.supplier.class",
                    supplier,
                    "classes of others are not loaded; remove the line and give key and trust"
                            + " stores");
        }
        String provider = values.text(prefix + "authProvider", "x509");
        if (!provider.equals("x509")) {
            throw InvalidConfig.of(prefix + "authProvider", provider, "it must be x509");
        }
        String ssl = values.text(prefix + "sslProvider", "JDK");
        if (!ssl.equalsIgnoreCase("JDK")) {
            values.warn(prefix + "sslProvider=" + ssl + " has no effect: Java's own TLS is used");
        }
    }

    private List<String> protocols(String prefix) {
        List<String> enabled = list(prefix + "enabledProtocols");
        if (!enabled.isEmpty()) {
            return enabled;
        }
        String one = values.text(prefix + "protocol");
        return one == null ? List.of("TLSv1.3", "TLSv1.2") : List.of(one);
    }

    private List<String> list(String key) {
        var all = new ArrayList<String>();
        for (String each : values.text(key, "").split(",", -1)) {
            if (!each.isBlank()) {
                all.add(each.strip());
            }
        }
        return all;
    }

    private TlsSettings.@Nullable Store store(String key) throws InvalidConfig {
        String location = values.text(key + "location");
        if (location == null || location.isEmpty()) {
            return null;
        }
        String path = values.text(key + "passwordPath");
        return new TlsSettings.Store(
                key,
                Path.of(myid == 0 ? location : location.replace(MYID, Integer.toString(myid))),
                type(key, location),
                values.text(key + "password"),
                path == null || path.isEmpty() ? null : Path.of(path));
    }

    private String type(String key, String location) throws InvalidConfig {
        String type = values.text(key + "type");
        if (type != null) {
            String upper = type.toUpperCase(Locale.ROOT);
            if (!TYPES.contains(upper)) {
                throw InvalidConfig.of(
                        key + "type", type, "it must be " + String.join(" or ", TYPES));
            }
            return upper;
        }
        int dot = location.lastIndexOf('.');
        String ending = dot < 0 ? "" : location.substring(dot).toLowerCase(Locale.ROOT);
        String known = TYPE_OF_ENDING.get(ending);
        if (known == null) {
            throw InvalidConfig.of(
                    key + "location",
                    location,
                    "its ending does not say what it is; set "
                            + key
                            + "type to "
                            + String.join(" or ", TYPES));
        }
        return known;
    }
}
