package dev.ensemble.operator;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import java.util.List;

/// Which package may import which: decisions know neither the API server nor the running members.
///
/// A rule for a package that holds no class yet holds by itself.
@AnalyzeClasses(packages = "dev.ensemble.operator", importOptions = DoNotIncludeTests.class)
final class LayoutTest {
    private static final String ROOT = "dev.ensemble.operator.";
    private static final List<String> ALL =
            List.of("api", "certificates", "desired", "plan", "ensemble", "reconcile", "tool");

    @ArchTest static final ArchRule API = mayImport("api");
    @ArchTest static final ArchRule CERTIFICATES = mayImport("certificates");
    @ArchTest static final ArchRule DESIRED = mayImport("desired", "api");
    @ArchTest static final ArchRule PLAN = mayImport("plan", "api");
    @ArchTest static final ArchRule ENSEMBLE = mayImport("ensemble", "api");

    @ArchTest
    static final ArchRule RECONCILE =
            mayImport("reconcile", "api", "certificates", "desired", "plan", "ensemble");

    @ArchTest
    static final ArchRule ONLY_RECONCILE_AND_TOOLS_TALK_TO_THE_API_SERVER =
            noClasses()
                    .that()
                    .resideOutsideOfPackages(ROOT + "reconcile..", ROOT + "tool..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(
                            "io.fabric8.kubernetes.client.dsl..",
                            "io.fabric8.kubernetes.client.informers..",
                            "io.javaoperatorsdk..")
                    .orShould()
                    .dependOnClassesThat()
                    .haveFullyQualifiedName("io.fabric8.kubernetes.client.KubernetesClient")
                    .allowEmptyShould(true);

    @ArchTest
    static final ArchRule DECISIONS_DO_NOTHING =
            noClasses()
                    .that()
                    .resideInAnyPackage(ROOT + "plan..", ROOT + "desired..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(
                            "java.io..", "java.net..", "java.nio.file..", "java.util.concurrent..")
                    .orShould()
                    .dependOnClassesThat()
                    .haveFullyQualifiedName(Thread.class.getName())
                    .orShould()
                    .callMethod(System.class, "nanoTime")
                    .orShould()
                    .callMethod(System.class, "currentTimeMillis")
                    .allowEmptyShould(true);

    /// Of our own packages, `name` may import these and itself.
    private static ArchRule mayImport(String name, String... others) {
        String[] forbidden =
                ALL.stream()
                        .filter(each -> !each.equals(name) && !List.of(others).contains(each))
                        .map(each -> ROOT + each + "..")
                        .toArray(String[]::new);
        return noClasses()
                .that()
                .resideInAPackage(ROOT + name + "..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(forbidden)
                .allowEmptyShould(true);
    }
}
