package dev.ensemble.operator.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.ensemble.operator.api.EnsembleStatus;
import dev.ensemble.operator.plan.Observed.Trouble;

import io.fabric8.kubernetes.api.model.Condition;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

final class StatusReportTest {
    private static final String T0 = "2026-01-01T00:00:00Z";
    private static final String T1 = "2026-01-01T00:01:00Z";

    private static StatusReport.About about(
            boolean paused, List<String> invalid, @Nullable Trouble trouble) {
        return about(paused, invalid, trouble, null);
    }

    private static StatusReport.About about(
            boolean paused,
            List<String> invalid,
            @Nullable Trouble trouble,
            @Nullable String superUser) {
        return about(paused, invalid, trouble, superUser, Backups.NONE);
    }

    private static StatusReport.About about(
            boolean paused,
            List<String> invalid,
            @Nullable Trouble trouble,
            @Nullable String superUser,
            Backups backups) {
        return new StatusReport.About(
                "e",
                "ns",
                7,
                paused,
                invalid,
                trouble,
                null,
                "id",
                T0,
                "e-client.ns.svc:2181",
                2181,
                null,
                superUser,
                backups,
                null);
    }

    private static EnsembleStatus report(Scene scene, @Nullable EnsembleStatus before, String now) {
        Observed seen = scene.observed();
        return StatusReport.of(about(false, List.of(), null), seen, Plan.next(seen), before, now);
    }

    private static final List<String> SHOWN =
            List.of("Ready", "QuorumAvailable", "UpToDate", "MembershipStable");

    /// `Ready/QuorumAvailable/UpToDate/MembershipStable`, each with its reason.
    private static String conditions(EnsembleStatus status) {
        return Objects.requireNonNull(status.conditions()).stream()
                .filter(each -> SHOWN.contains(each.getType()))
                .map(each -> each.getStatus().charAt(0) + ":" + each.getReason())
                .collect(Collectors.joining(" "));
    }

    private static String tls(Scene scene) {
        return Objects.requireNonNull(report(scene, null, T0).conditions()).stream()
                .filter(each -> each.getType().equals("TLSReady"))
                .map(each -> each.getStatus() + " " + each.getReason() + ": " + each.getMessage())
                .findFirst()
                .orElse("");
    }

    @Test
    void certificates() {
        String on = "peers=Required:operator clients=Off:";
        assertEquals("True TLSOff: Nothing is to speak TLS.", tls(Scene.of(1)));
        assertEquals(
                "Unknown CertificatesUnknown: No certificate is known of e-0",
                tls(Scene.of(1).tls(on, on)));
        assertEquals(
                "True CertificatesInUse: As the spec asks: members TLS only, clients plaintext.",
                tls(Scene.of(1).tls(on, on).shows(1, "ab", "2026-02-01T00:00:00Z", null)));
        assertEquals(
                "False CertificateExpiring: Certificates end soon: e-0 until"
                        + " 2026-01-04T00:00:00Z",
                tls(Scene.of(1).tls(on, on).shows(1, "ab", "2026-01-04T00:00:00Z", null)));
        assertEquals(
                "False CertificateExpired: Certificates have ended: e-0 until"
                        + " 2026-01-01T00:00:00Z",
                tls(Scene.of(1).tls(on, on).shows(1, "ab", "2026-01-01T00:00:00Z", null)));
        assertEquals(
                "False CertificateRefused: Changed files are not used by e-0: no key",
                tls(Scene.of(1).tls(on, on).shows(1, "ab", "2026-02-01T00:00:00Z", "no key")));
        assertEquals(
                "False TLSMoving: Now: members TLS only, clients plaintext. On the way to: members"
                        + " plaintext, clients plaintext.",
                tls(
                        Scene.of(1)
                                .tls(on, "peers=Off: clients=Off:")
                                .shows(1, "ab", "2026-02-01T00:00:00Z", null)));
        EnsembleStatus status =
                report(
                        Scene.of(2)
                                .tls(on, on)
                                .shows(1, "ab", "2026-02-01T00:00:00Z", null)
                                .shows(2, "cd", "2026-03-01T00:00:00Z", null),
                        null,
                        T0);
        assertEquals(
                List.of(
                        new EnsembleStatus.Certificate(
                                "members", "ab", "2026-02-01T00:00:00Z", List.of("e-0")),
                        new EnsembleStatus.Certificate(
                                "members", "cd", "2026-03-01T00:00:00Z", List.of("e-1"))),
                status.certificates());
    }

    static Stream<Arguments> rows() {
        return Stream.of(
                arguments(
                        Scene.of(3),
                        "Running",
                        "T:AllMembersReady T:QuorumPresent T:AllCurrent T:AllVotersSynced"),
                arguments(
                        Scene.of(3).missing(2),
                        "Restarting",
                        "F:MemberNotReady T:QuorumPresent F:RollingRestart F:MemberMissing"),
                arguments(
                        Scene.of(3).notReady(2).out(2),
                        "Degraded",
                        "F:MemberNotReady T:QuorumPresent T:AllCurrent F:MemberMissing"),
                arguments(
                        Scene.of(3).outdated(1, 2),
                        "Restarting",
                        "F:NotUpToDate T:QuorumPresent F:RollingRestart T:AllVotersSynced"),
                arguments(
                        Scene.of(3).outdated(1).manual(),
                        "Restarting",
                        "F:NotUpToDate T:QuorumPresent F:ManualUpdate T:AllVotersSynced"),
                arguments(
                        Scene.of(3).outdated(1).notReady(2).out(2),
                        "Restarting",
                        "F:MemberNotReady T:QuorumPresent F:MemberNotBack F:MemberMissing"),
                arguments(
                        Scene.of(3).noLeader(),
                        "QuorumLost",
                        "F:NoQuorum F:NoQuorum T:AllCurrent F:NoQuorum"),
                arguments(
                        Scene.of(3).unknownLeader(),
                        "Degraded",
                        "F:MemberNotReady U:MembersUnreachable T:AllCurrent U:MembersUnreachable"),
                arguments(
                        Scene.of(3).notBootstrapped().noLeader(),
                        "Forming",
                        "F:Forming F:Forming T:AllCurrent F:Forming"),
                arguments(
                        Scene.of(3).stuck(1).out(1),
                        "Degraded",
                        "F:CrashLooping T:QuorumPresent T:AllCurrent F:MemberMissing"));
    }

    @ParameterizedTest(name = "{1} {2}")
    @MethodSource("rows")
    void tellsTheTruth(Scene scene, String phase, String expected) {
        EnsembleStatus status = report(scene, null, T0);
        assertEquals(expected, conditions(status));
        assertEquals(phase, status.phase());
    }

    /// A member that was restarted 1000 s ago is late: the scene's time-out is 600 s.
    @Test
    void whatSucceedsEqualsTheStatusBeforeIfNothingHappened() {
        EnsembleStatus before = report(Scene.of(3), null, T0);
        assertEquals(before, report(Scene.of(3), before, T1));
    }

    @Test
    void aConditionKeepsTheTimeOfItsLastChange() {
        EnsembleStatus before = report(Scene.of(3), null, T0);
        EnsembleStatus after = report(Scene.of(3).notReady(2).out(2), before, T1);
        assertEquals(T1, transition(after, "Ready"));
        assertEquals(T0, transition(after, "QuorumAvailable"));
    }

    private static String transition(EnsembleStatus status, String type) {
        return Objects.requireNonNull(status.conditions()).stream()
                .filter(each -> each.getType().equals(type))
                .map(Condition::getLastTransitionTime)
                .findFirst()
                .orElseThrow();
    }

    private static final Observed.File FOLLOWS = new Observed.File(List.of(), null);

    private static String upToDate(EnsembleStatus status) {
        return Objects.requireNonNull(status.conditions()).stream()
                .filter(each -> each.getType().equals("UpToDate"))
                .map(each -> each.getStatus() + " " + each.getReason() + ": " + each.getMessage())
                .findFirst()
                .orElse("");
    }

    @Test
    void aChangedConfigurationIsInForceOnceEveryMemberSaysSo() {
        Scene two = Scene.of(3).loaded(2, "old", FOLLOWS).loaded(3, "old", FOLLOWS);
        EnsembleStatus first = report(two, null, T0);
        assertEquals(
                "False ConfigReloading: The changed configuration is being taken over by e-1, e-2",
                upToDate(first));
        assertEquals("Reloading", first.phase());
        assertEquals(
                List.of("e-1, e-2 to take over the changed configuration"),
                Objects.requireNonNull(first.operation()).waitingFor());
        EnsembleStatus later = report(Scene.of(3).loaded(3, "old", FOLLOWS), first, T1);
        assertEquals(
                "False ConfigReloading: The changed configuration is being taken over by e-2",
                upToDate(later));
        assertEquals(
                "False ConfigNotLoaded: The changed configuration is not in force: e-2 has not"
                        + " taken it over for 3 minutes",
                upToDate(
                        report(
                                Scene.of(3).loaded(3, "old", FOLLOWS),
                                later,
                                "2026-01-01T00:03:00Z")));
        assertEquals(
                "T:AllMembersReady T:QuorumPresent T:AllCurrent T:AllVotersSynced",
                conditions(report(Scene.of(3), later, T1)));
    }

    @Test
    void whoDoesNotTakeItOverIsNamedWithTheReason() {
        assertEquals(
                "False ConfigNotLoaded: The changed configuration is not in force: e-0 runs a"
                        + " server that reads its configuration only when it starts: set"
                        + " spec.restartedAt; e-1 refuses it: x=y is not valid: z; e-2 needs a"
                        + " restart for tickTime: set spec.restartedAt",
                upToDate(
                        report(
                                Scene.of(3)
                                        .loaded(1, "old", null)
                                        .loaded(
                                                2,
                                                "old",
                                                new Observed.File(List.of(), "x=y is not valid: z"))
                                        .loaded(
                                                3,
                                                "old",
                                                new Observed.File(List.of("tickTime"), null)),
                                null,
                                T0)));
    }

    @Test
    void whoIsSilentIsBelievedToHaveWhatItOnceHad() {
        Scene silent = Scene.of(3).silent(2);
        assertEquals(
                "Unknown ConfigUnknown: Not known which configuration is in force in e-1",
                upToDate(report(silent, null, T0)));
        assertEquals(
                "True AllCurrent: Every member runs what the spec asks for.",
                upToDate(report(silent, report(Scene.of(3), null, T0), T1)));
    }

    private static String superUser(@Nullable String secret, Scene scene) {
        Observed seen = scene.observed();
        EnsembleStatus status =
                StatusReport.of(
                        about(false, List.of(), null, secret), seen, Plan.next(seen), null, T0);
        assertEquals(
                "T:AllMembersReady T:QuorumPresent T:AllCurrent T:AllVotersSynced",
                conditions(status),
                "nothing else is held up");
        return Objects.requireNonNull(status.conditions()).stream()
                .filter(each -> each.getType().equals("SuperUserReady"))
                .map(each -> each.getStatus() + " " + each.getReason() + ": " + each.getMessage())
                .findFirst()
                .orElse("");
    }

    @Test
    void theSuperuserIsKnownOrItsSecretIsNamed() {
        Observed.SuperUser known = new Observed.SuperUser(true, null);
        Observed.SuperUser missing = new Observed.SuperUser(false, "nothing is in /x");
        assertEquals(
                "True NoSuperUser: spec.auth.superUser is not set.", superUser(null, Scene.of(1)));
        assertEquals(
                "Unknown SuperUserUnknown: Not known of e-0 whether it has Secret boss",
                superUser("boss", Scene.of(1)));
        assertEquals(
                "True SuperUserKnown: Every member has Secret boss.",
                superUser("boss", Scene.of(1).knowing(1, known)));
        assertEquals(
                "False SuperUserMissing: Secret boss must have the key password or digest; e-1:"
                        + " nothing is in /x",
                superUser("boss", Scene.of(3).knowing(1, known).knowing(2, missing)));
    }

    private static Backups.Schedule schedule(String name, @Nullable String last) {
        return schedule(name, last, false, "0 2 * * *");
    }

    private static Backups.Schedule schedule(
            String name, @Nullable String last, boolean suspended, String cron) {
        return new Backups.Schedule(
                name,
                cron,
                "UTC",
                suspended,
                Instant.parse("2026-01-01T00:00:00Z"),
                last == null ? null : name + "-1",
                last == null ? null : Instant.parse(last),
                "it says so");
    }

    private static EnsembleStatus backedUp(String now, Backups.Schedule... schedules) {
        Observed seen = Scene.of(3).observed();
        return StatusReport.of(
                about(false, List.of(), null, null, new Backups(List.of(schedules))),
                seen,
                Plan.next(seen),
                null,
                now);
    }

    private static String backupCurrent(EnsembleStatus status) {
        return Objects.requireNonNull(status.conditions()).stream()
                .filter(each -> each.getType().equals("BackupCurrent"))
                .map(each -> each.getStatus() + " " + each.getReason() + ": " + each.getMessage())
                .findFirst()
                .orElse("");
    }

    static Stream<Arguments> backups() {
        return Stream.of(
                arguments("without a schedule nothing is said", "", T1, new Backups.Schedule[0]),
                arguments(
                        "nothing was due",
                        "True BackupNotDue: No backup has been due for an hour yet.",
                        "2026-01-01T02:59:00Z",
                        new Backups.Schedule[] {schedule("n", null)}),
                arguments(
                        "an hour late",
                        "False BackupOverdue: Overdue: schedule n has no backup for"
                                + " 2026-01-01T02:00:00Z: it says so",
                        "2026-01-01T03:00:00Z",
                        new Backups.Schedule[] {schedule("n", null)}),
                arguments(
                        "there, by a clock that is behind",
                        "True BackupFresh: The last backup is n-1, of 2026-01-01T01:58:00Z.",
                        "2026-01-01T23:00:00Z",
                        new Backups.Schedule[] {schedule("n", "2026-01-01T01:58:00Z")}),
                arguments(
                        "that of the day before does not count",
                        "False BackupOverdue: Overdue: schedule n has no backup for"
                                + " 2026-01-03T02:00:00Z: it says so",
                        "2026-01-03T04:00:00Z",
                        new Backups.Schedule[] {schedule("n", "2026-01-02T02:00:10Z")}),
                arguments(
                        "each schedule must have its own",
                        "False BackupOverdue: Overdue: schedule m has no backup for"
                                + " 2026-01-01T02:00:00Z: it says so",
                        "2026-01-01T04:00:00Z",
                        new Backups.Schedule[] {
                            schedule("n", "2026-01-01T02:00:10Z"), schedule("m", null)
                        }),
                arguments(
                        "what is suspended has nothing due",
                        "Unknown BackupsSuspended: Every schedule is suspended.",
                        "2026-01-01T04:00:00Z",
                        new Backups.Schedule[] {schedule("n", null, true, "0 2 * * *")}),
                arguments(
                        "what never can be",
                        "False BackupOverdue: Overdue: schedule n: cron 'x' is not valid: it has"
                                + " five fields",
                        "2026-01-01T04:00:00Z",
                        new Backups.Schedule[] {schedule("n", null, false, "x")}));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("backups")
    void howFreshBackupsAre(
            String name, String expected, String now, Backups.Schedule[] schedules) {
        assertEquals(expected, backupCurrent(backedUp(now, schedules)), name);
    }

    @Test
    void theNewestBackupIsShown() {
        EnsembleStatus status =
                backedUp(
                        T1,
                        schedule("n", "2026-01-01T02:00:10Z"),
                        schedule("m", "2026-01-01T02:00:20Z"));
        assertEquals(
                new EnsembleStatus.LastBackup("m-1", "2026-01-01T02:00:20Z", true),
                status.lastBackup());
        assertNull(backedUp(T1).lastBackup());
    }

    @Test
    void aRestartIsNotCalledAReload() {
        EnsembleStatus status =
                report(Scene.of(3).outdated(1, 2).loaded(3, "old", FOLLOWS), null, T0);
        assertEquals("Restarting", status.phase());
        assertEquals("RollingRestart", Objects.requireNonNull(status.operation()).type());
    }

    @Test
    void aNewLeaderHasANewTime() {
        EnsembleStatus before = report(Scene.of(3), null, T0);
        EnsembleStatus.Leader leader =
                Objects.requireNonNull(report(Scene.of(3).leader(2), before, T1).leader());
        assertEquals("e-1", leader.member());
        assertEquals(T1, leader.since());
    }

    @Test
    void anInvalidSpecShowsWhatIsWrongAndWhatRunsIsStillReported() {
        Observed seen = Scene.of(3).observed();
        EnsembleStatus status =
                StatusReport.of(
                        about(false, List.of("spec.x: 'y' is not valid"), null),
                        seen,
                        new Step.Nothing(),
                        null,
                        T0);
        Condition valid =
                Objects.requireNonNull(status.conditions()).stream()
                        .filter(each -> each.getType().equals("SpecValid"))
                        .findFirst()
                        .orElseThrow();
        assertEquals("False", valid.getStatus());
        assertEquals("spec.x: 'y' is not valid", valid.getMessage());
        assertEquals(7, valid.getObservedGeneration());
        assertEquals("Invalid", status.phase());
        assertEquals("3/3", status.ready());
    }

    @Test
    void pausedIsSaid() {
        Observed seen = Scene.of(3).outdated(1).observed();
        EnsembleStatus status =
                StatusReport.of(about(true, List.of(), null), seen, new Step.Nothing(), null, T0);
        assertEquals("Paused", status.phase());
        assertEquals(
                "T:AllMembersReady T:QuorumPresent U:Paused T:AllVotersSynced", conditions(status));
    }

    @Test
    void theFirstThingThatIsWaitedForIsShown() {
        EnsembleStatus status = report(Scene.of(3).outdated(1).notReady(2).out(2), null, T0);
        assertEquals(
                List.of("e-1 to be ready"),
                Objects.requireNonNull(status.operation()).waitingFor());
    }
}
