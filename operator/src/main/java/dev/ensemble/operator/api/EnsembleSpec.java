package dev.ensemble.operator.api;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;

import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.model.annotation.SpecReplicas;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;

/// What the person wants. The API server applies the defaults of the annotations; the constructors
/// apply the same ones, for a file that no API server has seen (`ensemble up`) and for callers that
/// leave a part out.
@JsonClassDescription("What the ensemble should be.")
@ValidationRule(
        value =
                "!has(self.version) || !has(self.image) ||"
                        + " (!has(self.image.tag) && !has(self.image.digest))",
        message =
                "give either spec.version, or spec.image.tag or spec.image.digest: both would name"
                        + " an image")
// The API server also judges the default of the whole spec, which is empty when it does.
@ValidationRule(
        value =
                "!has(self.replicas) || self.replicas % 2 == 1 || (has(self.allowEvenReplicas) &&"
                        + " self.allowEvenReplicas)",
        message =
                "spec.replicas must be odd (1, 3, 5, 7 or 9): an even number of voters tolerates no"
                        + " more failures than one voter less; spec.allowEvenReplicas allows it"
                        + " all the same")
@ValidationRule(
        value =
                "!has(self.firstMyid) || !has(self.replicas)"
                        + " || self.firstMyid + self.replicas - 1 <= 100",
        message = "spec.firstMyid + spec.replicas - 1 may be at most 100")
@ValidationRule(
        value =
                "has(self.bootstrap) == has(oldSelf.bootstrap) && (!has(self.bootstrap) ||"
                        + " self.bootstrap == oldSelf.bootstrap)",
        message =
                "spec.bootstrap cannot be changed: an ensemble begins once; create another"
                        + " Ensemble")
public record EnsembleSpec(
        @JsonPropertyDescription(
                        "Number of voters: 1, 3, 5, 7 or 9. May be changed at any time: members"
                                + " join and leave two at a time, each change by one transaction of"
                                + " the ensemble.")
                @SpecReplicas
                @Default("3")
                @Min(1)
                @Max(9)
                Integer replicas,
        @JsonPropertyDescription(
                        "Allows an even number of voters, which costs one voter more than it"
                                + " gains.")
                @Default("false")
                Boolean allowEvenReplicas,
        @JsonPropertyDescription(
                        "Version of the server, used as tag of the image. The operator's own"
                            + " version if neither this nor image.tag nor image.digest is given.")
                @Pattern("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")
                @Nullable String version,
        @JsonPropertyDescription("Image of the server, where it is not the operator's default.")
                @Nullable Image image,
        @JsonPropertyDescription(
                        "myid of the member with ordinal 0; member n has myid firstMyid + n for"
                                + " ever. Cannot be changed afterwards.")
                @Default("1")
                @Min(1)
                @Max(100)
                @ValidationRule(
                        value = "self == oldSelf",
                        message =
                                "spec.firstMyid cannot be changed: the members keep their myid for"
                                        + " ever")
                Integer firstMyid,
        @JsonPropertyDescription(
                        "Settings of the server, key and value as in zoo.cfg. A change restarts the"
                                + " members one by one, but for limits and some other keys, which"
                                + " they take over while they run. Keys that the operator sets"
                                + " itself are refused.")
                @Size(max = 128)
                @ValidationRule(value = SpecRules.CONFIG_KEYS, message = SpecRules.CONFIG_KEYS_SAY)
                @ValidationRule(value = SpecRules.RESERVED, message = SpecRules.RESERVED_SAY)
                @ValidationRule(
                        value = SpecRules.CONFIG_VALUES,
                        message = SpecRules.CONFIG_VALUES_SAY)
                @Nullable Map<String, String> config,
        @JsonPropertyDescription("The Java virtual machine of the members.") @Default("{}") Jvm jvm,
        @JsonPropertyDescription("Where the members keep their data.") @Default("{}")
                Storage storage,
        @JsonPropertyDescription("How members are restarted when something changes.") @Default("{}")
                Update update,
        @JsonPropertyDescription("Where members may run.") @Default("{}") Availability availability,
        @JsonPropertyDescription("What the members' pods have in addition.")
                @Nullable PodTemplate podTemplate,
        @JsonPropertyDescription(
                        "A time such as 2026-01-01T00:00:00Z. Setting another one restarts the"
                                + " members one by one.")
                @Pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z$")
                @Nullable String restartedAt,
        @JsonPropertyDescription(
                        "While true the operator changes nothing; it goes on to report the status.")
                @Default("false")
                Boolean paused,
        @JsonPropertyDescription(
                        "While true no member runs. Volumes and membership stay as they are; false"
                                + " lets the members come back.")
                @Default("false")
                Boolean hibernate,
        @JsonPropertyDescription("TLS between members, and for clients.") @Nullable Tls tls,
        @JsonPropertyDescription(
                        "How the ensemble begins, if not empty. Cannot be changed, added or"
                                + " removed.")
                @Nullable Bootstrap bootstrap,
        @JsonPropertyDescription("Who may reach the members over the network.") @Default("{}")
                NetworkPolicy networkPolicy,
        @JsonPropertyDescription("Who may do what.") @Nullable Auth auth) {

    @SuppressWarnings("NullAway") // Jackson passes null for what the file leaves out.
    public EnsembleSpec {
        replicas = replicas == null ? Integer.valueOf(3) : replicas;
        firstMyid = firstMyid == null ? Integer.valueOf(1) : firstMyid;
        jvm = jvm == null ? new Jvm(null, null) : jvm;
        storage = storage == null ? new Storage(null, null, null) : storage;
        update = update == null ? new Update(null, null, null, null, null) : update;
        availability = availability == null ? new Availability(null) : availability;
        paused = paused == null ? Boolean.FALSE : paused;
        hibernate = hibernate == null ? Boolean.FALSE : hibernate;
        networkPolicy = networkPolicy == null ? new NetworkPolicy(null, null) : networkPolicy;
        allowEvenReplicas = allowEvenReplicas == null ? Boolean.FALSE : allowEvenReplicas;
    }

    private static final String ONE_SOURCE = "!has(self.secretName) || !has(self.issuerRef)";

    private static final String ONE_SOURCE_SAYS =
            "secretName and issuerRef cannot be given together";

    /// {@return the spec with every default}
    @SuppressWarnings("NullAway")
    public static EnsembleSpec defaults() {
        return new EnsembleSpec(
                null, null, null, null, null, null, null, null, null, null, null, null, null, null,
                null, null, null, null);
    }

    /// {@return the same spec with another number of voters}
    public EnsembleSpec withReplicas(int number) {
        return with(number, hibernate);
    }

    /// {@return the same spec, by which no member is to run}
    public EnsembleSpec asleep() {
        return with(replicas, true);
    }

    private EnsembleSpec with(Integer number, Boolean sleep) {
        return new EnsembleSpec(
                number,
                allowEvenReplicas,
                version,
                image,
                firstMyid,
                config,
                jvm,
                storage,
                update,
                availability,
                podTemplate,
                restartedAt,
                paused,
                sleep,
                tls,
                bootstrap,
                networkPolicy,
                auth);
    }

    /// {@return the settings of the server, empty if there are none}
    public Map<String, String> settings() {
        return config == null ? Map.of() : config;
    }

    @JsonClassDescription("Who may reach the members over the network.")
    public record NetworkPolicy(
            @JsonPropertyDescription(
                            "Whether there is a NetworkPolicy: members are reached by each other,"
                                    + " by the operator, by clients and by whoever reads metrics.")
                    @Default("true")
                    Boolean enabled,
            @JsonPropertyDescription(
                            "Where clients may be, as in the 'from' of a NetworkPolicy; anywhere if"
                                    + " there is none.")
                    @Size(max = 64)
                    @Nullable List<Map<String, Object>> clientsFrom) {
        @SuppressWarnings("NullAway")
        public NetworkPolicy {
            enabled = enabled == null ? Boolean.TRUE : enabled;
        }
    }

    /// {@return the Secret that says who the superuser is; null if none does}
    public @Nullable String superUserSecret() {
        return auth == null || auth.superUser() == null ? null : auth.superUser().secretName();
    }

    @JsonClassDescription("Who may do what.")
    public record Auth(
            @JsonPropertyDescription("Whom no ACL binds; nobody without it.")
                    @Nullable SuperUser superUser) {}

    @JsonClassDescription("Whom no ACL binds.")
    public record SuperUser(
            @JsonPropertyDescription(
                            "Secret of this namespace with password, that of the user super, or"
                                + " digest, lines of the form user:hash as ZooKeeper's superDigest,"
                                + " or both. A change of its content is taken without a restart.")
                    @Required
                    @Pattern("^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")
                    String secretName) {}

    @JsonClassDescription("TLS between members, and for clients.")
    public record Tls(
            @JsonPropertyDescription(
                            "Between the members; plaintext without it. An empty object is enough:"
                                    + " the operator keeps an authority of its own then.")
                    @Nullable PeerTls peer,
            @JsonPropertyDescription("For clients, on a port of its own.")
                    @Nullable ClientTls client,
            @JsonPropertyDescription("The authority that the operator keeps.")
                    @Nullable Authority authority) {}

    @JsonClassDescription("The authority that the operator keeps.")
    public record Authority(
            @JsonPropertyDescription(
                            "A time such as 2026-01-01T00:00:00Z. Setting another one replaces the"
                                    + " authority, without a restart.")
                    @Pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z$")
                    @Nullable String rotatedAt,
            @JsonPropertyDescription(
                            "How long clients have, where their port uses it, to learn of the next"
                                    + " authority before it signs, such as 24h.")
                    @Default("24h")
                    @Pattern("^(0s|[1-9][0-9]{0,4}(s|m|h))$")
                    String overlap) {
        @SuppressWarnings("NullAway")
        public Authority {
            overlap = overlap == null ? "24h" : overlap;
        }

        /// {@return `overlap` in seconds}
        public long overlapSeconds() {
            return seconds(overlap);
        }
    }

    @JsonClassDescription("How the ensemble begins.")
    public record Bootstrap(
            @JsonPropertyDescription("With the data of a backup.") @Required
                    FromBackup fromBackup) {}

    @JsonClassDescription("A backup in a volume claim of this namespace, or in a bucket.")
    @ValidationRule(
            value = "has(self.claim) != has(self.s3)",
            message = "fromBackup must have either claim or s3")
    @ValidationRule(
            value = "!has(self.s3) || !has(self.s3.prefix)",
            message =
                    "fromBackup.s3 has no prefix: file is the whole key, as"
                            + " status.file of the EnsembleBackup is")
    public record FromBackup(
            @JsonPropertyDescription("Name of the PersistentVolumeClaim.")
                    @Size(min = 1, max = 253)
                    @Pattern("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
                    @Nullable String claim,
            @JsonPropertyDescription("A bucket of an S3-compatible store, without a prefix.")
                    @Nullable S3Bucket s3,
            @JsonPropertyDescription(
                            "The file in it, with its folders: status.file of the EnsembleBackup.")
                    @Required
                    @Size(min = 1, max = 512)
                    @Pattern("^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$")
                    String file) {
        /// {@return the same for people}
        public String text() {
            return s3 == null ? file + " of claim " + claim : file + " of bucket " + s3.bucket();
        }
    }

    @JsonClassDescription("An issuer of cert-manager.")
    public record IssuerRef(
            @JsonPropertyDescription("Name of the issuer.")
                    @Required
                    @Size(min = 1, max = 253)
                    @Pattern("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
                    String name,
            @JsonPropertyDescription(
                            "Issuer, of this namespace, or ClusterIssuer; or a kind of another"
                                    + " group.")
                    @Default("Issuer")
                    @Size(max = 63)
                    @Pattern("^[A-Za-z]+$")
                    String kind,
            @JsonPropertyDescription("API group of the issuer.")
                    @Default("cert-manager.io")
                    @Size(max = 253)
                    @Pattern("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
                    String group) {
        @SuppressWarnings("NullAway")
        public IssuerRef {
            kind = kind == null ? "Issuer" : kind;
            group = group == null ? "cert-manager.io" : group;
        }
    }

    @JsonClassDescription("TLS between the members.")
    @ValidationRule(value = ONE_SOURCE, message = "spec.tls.peer." + ONE_SOURCE_SAYS)
    public record PeerTls(
            @JsonPropertyDescription(
                            "Secret with tls.crt, tls.key (PKCS #8) and ca.crt. The certificate is"
                                    + " for the members' names, such as"
                                    + " *.NAME-peers.NAMESPACE.svc. A change of its content is"
                                    + " taken without a restart. Without it the operator makes and"
                                    + " renews a certificate for each member.")
                    @Pattern("^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")
                    @Nullable String secretName,
            @JsonPropertyDescription(
                            "Required: TLS and nothing else. Prefer: members speak TLS and"
                                    + " understand both. Accept: members speak plaintext and"
                                    + " understand both. The operator goes from one to another step"
                                    + " by step, and each step restarts the members one by one.")
                    @Default("Required")
                    PeerMode mode,
            @JsonPropertyDescription(
                            "Issuer of cert-manager that makes and renews a certificate for the"
                                    + " members, in place of secretName.")
                    @Nullable IssuerRef issuerRef) {
        @SuppressWarnings("NullAway")
        public PeerTls {
            mode = mode == null ? PeerMode.Required : mode;
        }
    }

    /// How far members have come from plaintext to TLS.
    public enum PeerMode {
        Accept,
        Prefer,
        Required
    }

    @JsonClassDescription("TLS for clients.")
    @ValidationRule(value = ONE_SOURCE, message = "spec.tls.client." + ONE_SOURCE_SAYS)
    @ValidationRule(
            value =
                    "!has(self.clientAuth) || self.clientAuth == 'None' || has(self.secretName) ||"
                            + " has(self.trustSecretName) || has(self.issuerRef)",
            message =
                    "spec.tls.client.clientAuth asks clients for certificates, so"
                            + " trustSecretName must name a Secret whose ca.crt has their"
                            + " authorities")
    public record ClientTls(
            @JsonPropertyDescription(
                            "Secret with tls.crt, tls.key (PKCS #8) and, where clients show"
                                    + " certificates, ca.crt. A change of its content is taken"
                                    + " without a restart. Without it the operator makes and renews"
                                    + " the certificate; whom clients have to trust is in the"
                                    + " ConfigMap NAME-ca.")
                    @Pattern("^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")
                    @Nullable String secretName,
            @JsonPropertyDescription(
                            "Secret whose ca.crt has the authorities of the clients' certificates."
                                    + " Without it that of secretName counts.")
                    @Pattern("^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")
                    @Nullable String trustSecretName,
            @JsonPropertyDescription(
                            "Permissive: clients have a port for plaintext (2181) and one for TLS"
                                    + " (2281). Required: TLS only. The operator closes the former"
                                    + " only once every member has the latter.")
                    @Default("Permissive")
                    ClientMode mode,
            @JsonPropertyDescription(
                            "Whether clients show a certificate: None, Want (one that is shown must"
                                    + " be right) or Need.")
                    @Default("None")
                    ClientCertificate clientAuth,
            @JsonPropertyDescription(
                            "Issuer of cert-manager that makes and renews the certificate, in place"
                                    + " of secretName.")
                    @Nullable IssuerRef issuerRef) {
        @SuppressWarnings("NullAway")
        public ClientTls {
            mode = mode == null ? ClientMode.Permissive : mode;
            clientAuth = clientAuth == null ? ClientCertificate.None : clientAuth;
        }
    }

    /// Whether clients have a port for plaintext, too.
    public enum ClientMode {
        Permissive,
        Required
    }

    /// Whether clients show a certificate.
    public enum ClientCertificate {
        None,
        Want,
        Need
    }

    @JsonClassDescription("An image of the server.")
    public record Image(
            @JsonPropertyDescription("Registry and name, without tag.")
                    @Pattern("^[a-z0-9]([a-zA-Z0-9._:/-]*[a-zA-Z0-9])?$")
                    @Nullable String repository,
            @JsonPropertyDescription("Tag of the image.")
                    @Pattern("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")
                    @Nullable String tag,
            @JsonPropertyDescription("Digest of the image; wins over the tag.")
                    @Pattern("^sha256:[0-9a-f]{64}$")
                    @Nullable String digest,
            @JsonPropertyDescription("When the image is pulled.") @Nullable PullPolicy pullPolicy,
            @JsonPropertyDescription(
                            "Names of the Secrets in this namespace that hold the registry's"
                                    + " credentials.")
                    @Size(max = 16)
                    @Nullable List<String> pullSecrets) {}

    /// When kubelet pulls an image; the names are Kubernetes' own.
    public enum PullPolicy {
        Always,
        IfNotPresent,
        Never
    }

    @JsonClassDescription("The Java virtual machine of the members.")
    public record Jvm(
            @JsonPropertyDescription(
                            "Share of the container's memory that the heap may take, in percent.")
                    @Default("60")
                    @Min(10)
                    @Max(90)
                    Integer maxRAMPercentage,
            @JsonPropertyDescription("Further options, each of the form -...")
                    @Size(max = 32)
                    @ValidationRule(
                            value = "self.all(o, o.matches('^-[^\\\\s\"\\'@]+$'))",
                            message =
                                    "each of spec.jvm.options must begin with '-' and hold no white"
                                            + " space, quote or '@'")
                    @Nullable List<String> options) {
        @SuppressWarnings("NullAway")
        public Jvm {
            maxRAMPercentage = maxRAMPercentage == null ? Integer.valueOf(60) : maxRAMPercentage;
        }
    }

    @JsonClassDescription("Where the members keep their data.")
    public record Storage(
            @JsonPropertyDescription("Persistent is the only type yet.") @Default("Persistent")
                    StorageType type,
            @JsonPropertyDescription("The volume of each member, for its log and its state.")
                    @Default("{}")
                    Volume log,
            @JsonPropertyDescription("What happens to the volumes.") @Default("{}")
                    Retention retention) {
        @SuppressWarnings("NullAway")
        public Storage {
            type = type == null ? StorageType.Persistent : type;
            log = log == null ? new Volume(null, null) : log;
            retention = retention == null ? new Retention(null, null) : retention;
        }
    }

    /// Kinds of storage; one until a member without a disk is safe.
    public enum StorageType {
        Persistent
    }

    @JsonClassDescription("A volume.")
    @ValidationRule(
            value =
                    "has(self.storageClassName) == has(oldSelf.storageClassName) &&"
                            + " (!has(self.storageClassName) || self.storageClassName =="
                            + " oldSelf.storageClassName)",
            message =
                    "spec.storage.log.storageClassName cannot be changed: a volume keeps its class;"
                            + " create another Ensemble")
    public record Volume(
            @JsonPropertyDescription(
                            "Size, such as 8Gi. May grow, where the StorageClass allows that, and"
                                    + " never shrink.")
                    @Default("8Gi")
                    @Pattern("^[1-9][0-9]{0,5}(Mi|Gi|Ti|M|G|T)$")
                    @Size(max = 8)
                    @ValidationRule(
                            value =
                                    "!isQuantity(self) || !isQuantity(oldSelf) ||"
                                            + " quantity(self).compareTo(quantity(oldSelf)) >= 0",
                            message =
                                    "spec.storage.log.size may only grow: no volume can be made"
                                            + " smaller")
                    String size,
            @JsonPropertyDescription(
                            "StorageClass of the volume; the cluster's default class if left out.")
                    @Pattern("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
                    @Nullable String storageClassName) {
        @SuppressWarnings("NullAway")
        public Volume {
            size = size == null ? "8Gi" : size;
        }

        /// {@return the size in bytes}
        public long bytes() {
            return bytes(size);
        }

        /// {@return a size such as 8Gi in bytes}
        public static long bytes(String size) {
            int end = size.length();
            while (end > 0 && !Character.isDigit(size.charAt(end - 1))) {
                end--;
            }
            long number = Long.parseLong(size.substring(0, end));
            return switch (size.substring(end)) {
                case "Mi" -> number << 20;
                case "Gi" -> number << 30;
                case "Ti" -> number << 40;
                case "M" -> number * 1_000_000;
                case "G" -> number * 1_000_000_000;
                case "T" -> number * 1_000_000_000_000L;
                default -> number;
            };
        }
    }

    @JsonClassDescription("What happens to the volumes.")
    public record Retention(
            @JsonPropertyDescription("When the Ensemble is deleted.") @Default("Retain")
                    Keep whenDeleted,
            @JsonPropertyDescription(
                            "When a member is removed: Delete deletes its volume once the smaller"
                                    + " configuration is committed and its pod is gone.")
                    @Default("Retain")
                    Keep whenScaled) {
        @SuppressWarnings("NullAway")
        public Retention {
            whenDeleted = whenDeleted == null ? Keep.Retain : whenDeleted;
            whenScaled = whenScaled == null ? Keep.Retain : whenScaled;
        }
    }

    /// Whether a volume outlives its use; the names are Kubernetes' own.
    public enum Keep {
        Retain,
        Delete
    }

    @JsonClassDescription("How members are restarted when something changes.")
    public record Update(
            @JsonPropertyDescription(
                            "Automatic: the operator restarts the members one by one. Manual: it"
                                    + " does so once a person has approved the change by the"
                                    + " annotation ensemble.dev/approved, whose value is in the"
                                    + " condition UpToDate.")
                    @Default("Automatic")
                    Strategy strategy,
            @JsonPropertyDescription(
                            "TransferFirst: the leader hands over to a member that is up to date"
                                    + " already, and is restarted then. RestartLast: it hands over"
                                    + " while it stops.")
                    @Default("TransferFirst")
                    Leader leader,
            @JsonPropertyDescription(
                            "How long all members must have been ready before the next one is"
                                    + " restarted, in seconds.")
                    @Default("15")
                    @Min(0)
                    @Max(3600)
                    Integer minReadySeconds,
            @JsonPropertyDescription(
                            "After how long a member that does not come back is reported as failed,"
                                    + " such as 10m. It reports, and never forces anything.")
                    @Default("10m")
                    @Pattern("^[1-9][0-9]{0,4}(s|m|h)$")
                    String memberTimeout,
            @JsonPropertyDescription(
                            "When healthy members may be restarted; at any time if none is given."
                                    + " What is broken is repaired at any time.")
                    @Size(max = 16)
                    @Nullable List<MaintenanceWindow> maintenanceWindows) {
        @SuppressWarnings("NullAway")
        public Update {
            strategy = strategy == null ? Strategy.Automatic : strategy;
            leader = leader == null ? Leader.TransferFirst : leader;
            minReadySeconds = minReadySeconds == null ? Integer.valueOf(15) : minReadySeconds;
            memberTimeout = memberTimeout == null ? "10m" : memberTimeout;
        }

        /// {@return `memberTimeout` in seconds}
        public long memberTimeoutSeconds() {
            return seconds(memberTimeout);
        }
    }

    /// {@return a span such as 10m in seconds}
    private static long seconds(String span) {
        long number = Long.parseLong(span.substring(0, span.length() - 1));
        return switch (span.charAt(span.length() - 1)) {
            case 'h' -> number * 3600;
            case 'm' -> number * 60;
            default -> number;
        };
    }

    @JsonClassDescription("A time in which healthy members may be restarted.")
    public record MaintenanceWindow(
            @JsonPropertyDescription(
                            "When it opens: minute, hour, day of the month, month and day of the"
                                    + " week (0 and 7 are Sunday) as in a crontab, in numbers, with"
                                    + " '*', lists, ranges and steps.")
                    @Pattern("^[0-9*,/-]+( +[0-9*,/-]+){4}$")
                    @Size(max = 128)
                    @Required
                    String cron,
            @JsonPropertyDescription("How long it stays open, such as 2h; at most 24h.")
                    @Pattern(
                            "^([1-9][0-9]{0,4}s|[1-9][0-9]{0,2}m|1[0-3][0-9]{2}m|([1-9]|1[0-9]|2[0-4])h)$")
                    @Size(max = 8)
                    @Default("1h")
                    String duration,
            @JsonPropertyDescription("Time zone of the cron expression, such as Europe/Berlin.")
                    @Pattern("^[A-Za-z0-9/_+-]+$")
                    @Size(max = 64)
                    @Default("UTC")
                    String tz) {
        @SuppressWarnings("NullAway")
        public MaintenanceWindow {
            duration = duration == null ? "1h" : duration;
            tz = tz == null ? "UTC" : tz;
        }

        /// {@return `duration` in seconds}
        public long durationSeconds() {
            return seconds(duration);
        }
    }

    /// How the leader is restarted.
    public enum Leader {
        TransferFirst,
        RestartLast
    }

    /// Who restarts outdated members.
    public enum Strategy {
        Automatic,
        Manual
    }

    @JsonClassDescription("Where members may run.")
    public record Availability(
            @JsonPropertyDescription("How members are spread over the cluster.") @Default("{}")
                    Spread spread) {
        @SuppressWarnings("NullAway")
        public Availability {
            spread = spread == null ? new Spread(null, null) : spread;
        }
    }

    @JsonClassDescription("How members are spread over the cluster.")
    public record Spread(
            @JsonPropertyDescription("Over zones.") @Default("Preferred") SpreadPolicy zones,
            @JsonPropertyDescription("Over nodes.") @Default("Preferred") SpreadPolicy hosts) {
        @SuppressWarnings("NullAway")
        public Spread {
            zones = zones == null ? SpreadPolicy.Preferred : zones;
            hosts = hosts == null ? SpreadPolicy.Preferred : hosts;
        }
    }

    /// How strictly members are kept apart.
    public enum SpreadPolicy {
        Required,
        Preferred,
        Off
    }
}
