package dev.ensemble.server.node;

import dev.ensemble.server.auth.Sasl;
import dev.ensemble.server.auth.X509;

import org.jspecify.annotations.Nullable;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.URIParameter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.Configuration;

/// Reads the keys of authentication (`server/docs/tls.md`).
final class AuthConfig {
    private static final String PACKAGE = "org.apache.zookeeper.server.auth.";

    /// The providers of ZooKeeper that are built in here, by class, and their schemes.
    private static final Map<String, String> PROVIDERS =
            new TreeMap<>(
                    Map.of(
                            PACKAGE + "IPAuthenticationProvider", "ip",
                            PACKAGE + "DigestAuthenticationProvider", "digest",
                            PACKAGE + "X509AuthenticationProvider", "x509",
                            PACKAGE + "SASLAuthenticationProvider", "sasl",
                            PACKAGE + "EnsembleAuthenticationProvider", "ensemble"));

    private static final String JAAS = "java.security.auth.login.config";
    private static final String SECTION = "sasl.serverconfig";
    private static final String LOGIN_MODULE = PACKAGE + "DigestLoginModule";
    private static final String SUPER_PASSWORD = "SASLAuthenticationProvider.superPassword";

    private final ConfigValues values;
    private final boolean tls;

    /// @param tls whether clients may show certificates
    AuthConfig(ConfigValues values, boolean tls) {
        this.values = values;
        this.tls = tls;
    }

    Config.Auth read() throws InvalidConfig {
        String algorithm = values.text("DigestAuthenticationProvider.digestAlg", "SHA1");
        try {
            MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException _) {
            throw InvalidConfig.of(
                    "DigestAuthenticationProvider.digestAlg",
                    algorithm,
                    "it must be a digest of this Java, as SHA1 or SHA-256");
        }
        String superDigest = values.text("DigestAuthenticationProvider.superDigest");
        if (superDigest != null && superDigest.indexOf(':') < 1) {
            // The value is a secret, or nearly.
            throw new InvalidConfig(
                    "DigestAuthenticationProvider.superDigest is not valid: it must be user:digest"
                            + " in base64");
        }
        Set<String> providers = providers();
        boolean digest = values.bool("DigestAuthenticationProvider.enabled", true);
        X509 x509 = tls || providers.contains("x509") ? x509() : null;
        Sasl sasl = sasl(providers.contains("sasl"));
        Set<String> ensembles =
                providers.contains("ensemble") ? words(values.text("ensembleAuthName", "")) : null;
        var known = new TreeSet<>(Set.of("ip"));
        if (digest) {
            known.add("digest");
        }
        if (x509 != null) {
            known.add("x509");
        }
        if (sasl != null) {
            known.add("sasl");
        }
        return new Config.Auth(
                values.yes("skipACL", false),
                digest,
                superDigest,
                superUser(),
                algorithm,
                x509,
                sasl,
                ensembles,
                enforced(known));
    }

    private Config.@Nullable SuperUser superUser() {
        String digests = values.text("DigestAuthenticationProvider.superDigestFile");
        String password = values.text("DigestAuthenticationProvider.superPasswordFile");
        return digests == null && password == null
                ? null
                : new Config.SuperUser(
                        digests == null ? null : Path.of(digests),
                        password == null ? null : Path.of(password));
    }

    private Set<String> providers() throws InvalidConfig {
        var schemes = new TreeSet<String>();
        for (Map.Entry<String, String> each : values.family("authProvider.").entrySet()) {
            String scheme = PROVIDERS.get(each.getValue());
            if (scheme == null) {
                throw InvalidConfig.of(
                        "authProvider." + each.getKey(),
                        each.getValue(),
                        "classes of others are not loaded; it must be one of "
                                + String.join(", ", PROVIDERS.keySet()));
            }
            schemes.add(scheme);
        }
        return schemes;
    }

    /// Which schemes a connection must have one of. One that nobody could have is a mistake.
    private Set<String> enforced(Set<String> known) throws InvalidConfig {
        Set<String> wanted = words(values.text("enforce.auth.schemes", ""));
        boolean on = values.bool("enforce.auth.enabled", false);
        if (on && wanted.isEmpty()) {
            throw new InvalidConfig(
                    "enforce.auth.schemes is not set: with enforce.auth.enabled=true it must be"
                            + " schemes of "
                            + known);
        }
        if (!on && !wanted.isEmpty()) {
            values.warn("enforce.auth.schemes has no effect: enforce.auth.enabled is not true");
        }
        var enforced = new TreeSet<>(on ? wanted : Set.of());
        if (values.bool("sessionRequireClientSASLAuth", false)) {
            if (!known.contains("sasl")) {
                throw InvalidConfig.of(
                        "sessionRequireClientSASLAuth",
                        "true",
                        JAAS + " must be set beside it, or nobody can authenticate");
            }
            enforced.add("sasl");
        }
        for (String scheme : enforced) {
            if (!known.contains(scheme)) {
                throw InvalidConfig.of(
                        "enforce.auth.schemes",
                        values.text("enforce.auth.schemes", ""),
                        "there is no provider of " + scheme + " here; it must be of " + known);
            }
        }
        return enforced;
    }

    private static Set<String> words(String list) {
        var words = new TreeSet<String>();
        for (String word : list.split(",", -1)) {
            if (!word.isBlank()) {
                words.add(word.strip());
            }
        }
        return words;
    }

    // x509.

    private X509 x509() throws InvalidConfig {
        String prefix = "X509AuthenticationProvider.";
        String superUser = values.text(prefix + "superUser");
        String kind = values.text(prefix + "clientCertIdType", "");
        if (!kind.equalsIgnoreCase("SAN")) {
            if (!kind.isEmpty()) {
                throw InvalidConfig.of(
                        prefix + "clientCertIdType",
                        kind,
                        "it must be SAN, or the line be removed for the subject");
            }
            return new X509(superUser, null);
        }
        String type = prefix + "clientCertIdSanMatchType";
        if (!values.has(type)) {
            throw new InvalidConfig(
                    type
                            + " is not set: with clientCertIdType=SAN it must be the type of the"
                            + " alternative name, as 6 for a URI");
        }
        return new X509(
                superUser,
                new X509.Alternative(
                        values.number(type, 0, 0, 8),
                        pattern(prefix + "clientCertIdSanMatchRegex"),
                        pattern(prefix + "clientCertIdSanExtractRegex"),
                        values.number(
                                prefix + "clientCertIdSanExtractMatcherGroupIndex", 0, 0, 99)));
    }

    private Pattern pattern(String key) throws InvalidConfig {
        String text = values.text(key, ".*");
        try {
            return Pattern.compile(text);
        } catch (PatternSyntaxException e) {
            throw InvalidConfig.of(key, text, "it must be a regular expression of Java");
        }
    }

    // SASL.

    private @Nullable Sasl sasl(boolean wanted) throws InvalidConfig {
        // As a property of the Java machine is how ZooKeeper's own scripts give it.
        String given = values.text(JAAS);
        String file = given == null ? System.getProperty(JAAS) : given;
        Map<String, String> users = file == null ? null : users(file);
        if (users == null && !wanted) {
            return null;
        }
        if (users != null && values.has("fips-mode") && values.bool("fips-mode", true)) {
            throw InvalidConfig.of(
                    "fips-mode",
                    values.text("fips-mode", ""),
                    "SASL here is DIGEST-MD5, which FIPS does not allow: it must be false, or "
                            + JAAS
                            + " be removed");
        }
        var superUsers = new TreeSet<>(values.family("superUser.").values());
        String superUser = values.text("superUser");
        if (superUser != null) {
            superUsers.add(superUser);
        }
        return new Sasl(
                users,
                superUsers,
                values.text("letAnySaslUserDoX"),
                values.bool("allowSaslFailedClients", false));
    }

    /// The passwords, by user, of a section of a JAAS file, as ZooKeeper's DigestLoginModule has
    /// them: `user_NAME="password"`; null if there is no section, and none was named. The module
    /// itself is not loaded.
    private @Nullable Map<String, String> users(String file) throws InvalidConfig {
        String section = values.text(SECTION, "Server");
        if (!Files.isReadable(Path.of(file))) {
            throw InvalidConfig.of(JAAS, file, "it must be a JAAS file that can be read");
        }
        AppConfigurationEntry[] entries;
        try {
            URI uri = Path.of(file).toUri();
            entries =
                    Configuration.getInstance("JavaLoginConfig", new URIParameter(uri))
                            .getAppConfigurationEntry(section);
        } catch (GeneralSecurityException | RuntimeException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw InvalidConfig.of(
                    JAAS,
                    file,
                    "it must be a JAAS file: " + ("" + cause.getMessage()).replace('\n', ' '));
        }
        if (entries == null || entries.length == 0) {
            if (values.has(SECTION)) {
                throw InvalidConfig.of(JAAS, file, "it must have a section " + section);
            }
            // As the original: the file may be there for what this process does as a client.
            values.warn(JAAS + "=" + file + " has no section Server: nobody can use SASL here");
            return null;
        }
        var users = new HashMap<String, String>();
        for (AppConfigurationEntry entry : entries) {
            if (!entry.getLoginModuleName().equals(LOGIN_MODULE)) {
                throw InvalidConfig.of(
                        JAAS,
                        file,
                        "the section "
                                + section
                                + " names "
                                + entry.getLoginModuleName()
                                + ", where only "
                                + LOGIN_MODULE
                                + " is supported");
            }
            for (Map.Entry<String, ?> option : entry.getOptions().entrySet()) {
                if (option.getKey().startsWith("user_")) {
                    users.put(option.getKey().substring(5), "" + option.getValue());
                }
            }
        }
        String superPassword = values.text(SUPER_PASSWORD);
        if (superPassword != null) {
            users.put("super", superPassword);
        }
        if (users.isEmpty()) {
            throw InvalidConfig.of(
                    JAAS,
                    file,
                    "the section "
                            + section
                            + " must have users: "
                            + List.of("user_NAME=\"password\""));
        }
        return users;
    }
}
