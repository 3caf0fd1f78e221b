package dev.ensemble.server;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// Which package may import which. The pure ones decide without clock, thread, socket or file, so
/// that one seed replays a whole ensemble; the others may reach inwards only.
///
/// A rule for a package that holds no class yet holds by itself. Code generated from the `.proto`
/// files is in `proto`.
@AnalyzeClasses(packages = "dev.ensemble.server", importOptions = DoNotIncludeTests.class)
final class LayoutTest {
    private static final String ROOT = "dev.ensemble.server.";

    /// What pure code may use of the outside, by package.
    private static final Set<String> PURE_PACKAGES =
            Set.of(
                    "java.lang",
                    "java.lang.invoke",
                    "java.lang.runtime",
                    "java.util",
                    "java.util.function",
                    "java.util.stream",
                    "java.util.zip",
                    "java.nio.charset",
                    "org.jspecify.annotations");

    /// What of those packages it may not: clocks, threads, and what differs from run to run.
    private static final Set<String> IMPURE_CLASSES =
            Set.of(
                    "java.lang.Thread",
                    "java.lang.ThreadLocal",
                    "java.lang.Process",
                    "java.lang.ProcessBuilder",
                    "java.lang.Runtime",
                    "java.util.Timer",
                    "java.util.UUID");

    /// The one harmless class of a package that does I/O: how a view of a byte array reads numbers.
    private static final String BYTE_ORDER = "java.nio.ByteOrder";

    private static final DescribedPredicate<JavaClass> IMPURE =
            describe(
                    "impure",
                    type ->
                            !type.isPrimitive()
                                    && !type.isArray()
                                    && !type.getPackageName().startsWith("dev.ensemble.server")
                                    && !type.getFullName().equals(BYTE_ORDER)
                                    && (!PURE_PACKAGES.contains(type.getPackageName())
                                            || IMPURE_CLASSES.contains(type.getFullName())));

    @ArchTest static final ArchRule MODEL_IS_PURE = pure("model");
    @ArchTest static final ArchRule ZAB_IS_PURE = pure("zab");
    @ArchTest static final ArchRule TREE_IS_PURE = pure("tree");
    @ArchTest static final ArchRule SESSION_IS_PURE = pure("session");
    @ArchTest static final ArchRule MEMBER_IS_PURE = pure("member");
    @ArchTest static final ArchRule SIMULATION_IS_PURE = pure("simulation");

    @ArchTest static final ArchRule MODEL = mayImport("model");
    @ArchTest static final ArchRule ZAB = mayImport("zab", "model");
    @ArchTest static final ArchRule TREE = mayImport("tree", "model");
    @ArchTest static final ArchRule SESSION = mayImport("session", "model");
    @ArchTest static final ArchRule MEMBER = mayImport("member", "model", "zab", "tree", "session");

    @ArchTest
    static final ArchRule SIMULATION =
            mayImport("simulation", "model", "zab", "tree", "session", "member");

    @ArchTest static final ArchRule WIRE = mayImport("wire", "model");

    @ArchTest
    static final ArchRule STORE = mayImport("store", "model", "zab", "tree", "proto", "metrics");

    @ArchTest static final ArchRule AUTH = mayImport("auth", "model");
    @ArchTest static final ArchRule METRICS = mayImport("metrics");
    @ArchTest static final ArchRule TLS = mayImport("tls", "model");

    @ArchTest
    static final ArchRule NET =
            mayImport(
                    "net", "model", "zab", "tree", "session", "member", "wire", "auth", "tls",
                    "proto", "metrics");

    @ArchTest
    static final ArchRule NODE_LEAVES_TOOLS_ALONE =
            noClasses()
                    .that()
                    .resideInAPackage(ROOT + "node..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage(ROOT + "tool..")
                    .allowEmptyShould(true);

    @ArchTest
    static final ArchRule ROCKSDB_STAYS_IN_STORE =
            noClasses()
                    .that()
                    .resideOutsideOfPackages(ROOT + "store..", ROOT + "tool..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("org.rocksdb..")
                    .allowEmptyShould(true);

    @ArchTest static final ArchRule S3 = mayImport("tool.s3");

    @ArchTest
    static final ArchRule AMAZON_STAYS_IN_S3 =
            noClasses()
                    .that()
                    .resideOutsideOfPackage(ROOT + "tool.s3..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("software.amazon..")
                    .allowEmptyShould(true);

    @ArchTest
    static final ArchRule NOTHING_KNOWS_KUBERNETES =
            noClasses()
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(
                            "io.fabric8..", "io.javaoperatorsdk..", "dev.ensemble.operator..");

    private static ArchRule pure(String name) {
        return noClasses()
                .that()
                .resideInAPackage(ROOT + name + "..")
                .should()
                .dependOnClassesThat(IMPURE)
                .orShould()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(System.class, "getProperty", String.class)
                .orShould()
                .callMethod(System.class, "getenv", String.class)
                .orShould()
                .callMethod(Math.class, "random")
                .orShould()
                .callConstructor(java.util.Random.class)
                .allowEmptyShould(true)
                .because("one seed must replay a whole ensemble");
    }

    /// Of our own packages, `name` may import these and itself.
    private static ArchRule mayImport(String name, String... others) {
        String[] allowed =
                Stream.concat(Stream.of(name), Arrays.stream(others))
                        .map(each -> ROOT + each + "..")
                        .toArray(String[]::new);
        return noClasses()
                .that()
                .resideInAPackage(ROOT + name + "..")
                .should()
                .dependOnClassesThat(
                        resideInAPackage("dev.ensemble.server..")
                                .and(not(resideInAnyPackage(allowed)))
                                .as("of ours in packages other than %s", List.of(allowed)))
                .allowEmptyShould(true);
    }
}
