package dev.ensemble.operator.api;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/// The rules that a spec keeps, for where no API server checks them: a file given to `ensemble up`,
/// and a resource that was stored under an older definition. The texts for the API server (CEL)
/// stand beside the Java ones, since they must say the same.
public final class SpecRules {
    static final String CONFIG_KEYS =
            "self.all(k, k.matches('^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'))";
    static final String CONFIG_KEYS_SAY =
            "a key of spec.config holds letters, digits, '.', '_' and '-' only";
    static final String RESERVED =
            "self.all(k, !k.matches('^(zookeeper[.])?(dataDir|dataLogDir|clientPort"
                + "|clientPortAddress|secureClientPort|secureClientPortAddress|secureClientPortOnly"
                + "|dynamicConfigFile"
                + "|reconfigEnabled|standaloneEnabled|bootstrap|ensembleId|myid|version|peerType"
                + "|electionAlg|admin[.](enableServer|serverPort|serverAddress|tokenFile|operatorKeys)"
                + "|(server|group|weight|metricsProvider)[.].*)$'))";
    static final String RESERVED_SAY =
            "spec.config holds a key that the operator sets itself: ports, folders, membership"
                    + " (server., group., weight.), bootstrap, ensembleId, version, myid, peerType,"
                    + " electionAlg, reconfigEnabled, standaloneEnabled, dynamicConfigFile,"
                    + " admin.enableServer, admin.server*, admin.tokenFile, admin.operatorKeys and"
                    + " metricsProvider. are reserved; remove it";
    static final String CONFIG_VALUES =
            "self.all(k, self[k].size() <= 1024 && !self[k].matches('[\\\\x00-\\\\x1f\\\\\\\\]'))";
    static final String CONFIG_VALUES_SAY =
            "a value of spec.config has at most 1024 characters, and no line break, control"
                    + " character or backslash";

    private static final Pattern KEY = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
    private static final Pattern UNFIT = Pattern.compile("[\\x00-\\x1f\\\\]");
    private static final Pattern RESERVED_KEY =
            Pattern.compile(
                    "(zookeeper[.])?((server|group|weight|metricsProvider)[.].*"
                        + "|admin[.](enableServer|serverPort|serverAddress|tokenFile|operatorKeys))");
    private static final Set<String> RESERVED_KEYS =
            Set.of(
                    "dataDir",
                    "dataLogDir",
                    "clientPort",
                    "clientPortAddress",
                    "secureClientPort",
                    "secureClientPortAddress",
                    "secureClientPortOnly",
                    "dynamicConfigFile",
                    "reconfigEnabled",
                    "standaloneEnabled",
                    "bootstrap",
                    "ensembleId",
                    "myid",
                    "version",
                    "peerType",
                    "electionAlg");
    private static final Pattern OPTION = Pattern.compile("-[^\\s\"'@]+");
    private static final Pattern SIZE = Pattern.compile("[1-9][0-9]{0,5}(Mi|Gi|Ti|M|G|T)");
    private static final Pattern NAME = Pattern.compile("[a-z]([-a-z0-9]*[a-z0-9])?");
    private static final Pattern SPAN = Pattern.compile("[1-9][0-9]{0,4}[smh]");

    private SpecRules() {}

    /// One thing that is wrong with a resource.
    ///
    /// @param field where, such as `spec.replicas`
    /// @param says the value and what would be valid
    public record Problem(String field, String says) {
        @Override
        public String toString() {
            return field + ": " + says;
        }
    }

    /// {@return what is wrong with this resource; nothing for one that can work}
    public static List<Problem> problems(String name, EnsembleSpec spec) {
        List<Problem> found = new ArrayList<>();
        check(
                found,
                name.length() <= 45 && NAME.matcher(name).matches(),
                "metadata.name",
                name,
                "at most 45 characters, lower-case letters, digits and '-', a letter first");
        int replicas = spec.replicas();
        check(
                found,
                replicas >= 1 && replicas <= 9 && (replicas % 2 == 1 || spec.allowEvenReplicas()),
                "spec.replicas",
                replicas,
                "1, 3, 5, 7 or 9 (an even number of voters tolerates no more failures than one"
                        + " voter less)");
        check(
                found,
                spec.firstMyid() >= 1 && spec.firstMyid() + replicas - 1 <= 100,
                "spec.firstMyid",
                spec.firstMyid(),
                "1 to 100, and so that the last member's myid is at most 100");
        check(
                found,
                SIZE.matcher(spec.storage().log().size()).matches(),
                "spec.storage.log.size",
                spec.storage().log().size(),
                "a whole number with Mi, Gi, Ti, M, G or T, such as 8Gi");
        check(
                found,
                SPAN.matcher(spec.update().memberTimeout()).matches(),
                "spec.update.memberTimeout",
                spec.update().memberTimeout(),
                "a number with s, m or h, such as 10m");
        EnsembleSpec.ClientTls client = spec.tls() == null ? null : spec.tls().client();
        if (client != null) {
            check(
                    found,
                    client.clientAuth() == EnsembleSpec.ClientCertificate.None
                            || client.secretName() != null
                            || client.issuerRef() != null
                            || client.trustSecretName() != null,
                    "spec.tls.client.clientAuth",
                    client.clientAuth(),
                    "None, or spec.tls.client.trustSecretName beside it");
        }
        EnsembleSpec.PeerTls peer = spec.tls() == null ? null : spec.tls().peer();
        check(
                found,
                peer == null || peer.secretName() == null || peer.issuerRef() == null,
                "spec.tls.peer.issuerRef",
                peer == null ? "" : String.valueOf(peer.issuerRef()),
                "either this, or secretName");
        check(
                found,
                client == null || client.secretName() == null || client.issuerRef() == null,
                "spec.tls.client.issuerRef",
                client == null ? "" : String.valueOf(client.issuerRef()),
                "either this, or secretName");
        EnsembleSpec.FromBackup backup =
                spec.bootstrap() == null ? null : spec.bootstrap().fromBackup();
        if (backup != null) {
            check(
                    found,
                    (backup.claim() == null) != (backup.s3() == null)
                            && (backup.s3() == null || backup.s3().prefix() == null),
                    "spec.bootstrap.fromBackup",
                    backup.text(),
                    "either claim, or s3 without a prefix");
        }
        jvm(found, spec.jvm());
        spec.settings().forEach((key, value) -> setting(found, key, value));
        EnsembleSpec.Image image = spec.image();
        if (spec.version() != null && image != null) {
            check(
                    found,
                    image.tag() == null && image.digest() == null,
                    "spec.version",
                    spec.version(),
                    "either this, or spec.image.tag or spec.image.digest");
        }
        return List.copyOf(found);
    }

    private static void jvm(List<Problem> found, EnsembleSpec.Jvm jvm) {
        check(
                found,
                jvm.maxRAMPercentage() >= 10 && jvm.maxRAMPercentage() <= 90,
                "spec.jvm.maxRAMPercentage",
                jvm.maxRAMPercentage(),
                "10 to 90");
        if (jvm.options() != null) {
            for (String option : jvm.options()) {
                check(
                        found,
                        OPTION.matcher(option).matches(),
                        "spec.jvm.options",
                        option,
                        "an option that begins with '-', without white space, quote or '@'");
            }
        }
    }

    private static void setting(List<Problem> found, String key, String value) {
        String field = "spec.config[" + key + "]";
        check(found, KEY.matcher(key).matches(), field, key, CONFIG_KEYS_SAY);
        check(found, !reserved(key), field, key, "remove it: the operator sets this key itself");
        check(
                found,
                value != null && value.length() <= 1024 && !UNFIT.matcher(value).find(),
                field,
                value == null ? "nothing" : value,
                CONFIG_VALUES_SAY);
    }

    /// {@return whether the operator sets this key of `zoo.cfg` itself}
    static boolean reserved(String key) {
        String plain = key.startsWith("zookeeper.") ? key.substring("zookeeper.".length()) : key;
        return RESERVED_KEYS.contains(plain) || RESERVED_KEY.matcher(key).matches();
    }

    private static void check(
            List<Problem> found, boolean ok, String field, Object value, String valid) {
        if (!ok) {
            found.add(new Problem(field, "'" + value + "' is not valid; valid: " + valid));
        }
    }
}
