package dev.ensemble.operator.plan;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/// Decides how an ensemble could go on that has lost its quorum for good: with the data of the
/// member that holds the newest, if too few hold any for a quorum of their own.
public final class RecoveryPlan {
    private RecoveryPlan() {}

    /// A member, as far as it can be known.
    ///
    /// @param answers whether it answered just now; if not, nothing else is known about it
    /// @param holds whether it holds data of the ensemble, on the disk that the configuration names
    /// @param leads whether it leads a quorum
    /// @param voters how many voters its configuration has; 0 if it has none
    /// @param epoch of its data
    /// @param logged end of its log
    public record Candidate(
            int myid,
            String name,
            boolean answers,
            boolean holds,
            boolean leads,
            int voters,
            long epoch,
            long logged,
            @Nullable String incarnation) {

        /// {@return what is known about it, in one line}
        public String text() {
            if (!answers) {
                return name + " does not answer: what it holds is not known";
            }
            return holds
                    ? "%s holds data of epoch %d up to 0x%x".formatted(name, epoch, logged)
                    : name + " holds no data";
        }
    }

    /// What could be done.
    public sealed interface Outcome {
        /// Nothing, by this way.
        record NotPossible(String why) implements Outcome {}

        /// The ensemble goes on with the data of one member.
        ///
        /// @param facts all that the plan rests on: with other facts it is another plan
        /// @param means what it means, for the person who approves it
        record Survive(Candidate survivor, String facts, String means) implements Outcome {}

        /// The ensemble begins again with a backup.
        ///
        /// @param afterEpoch behind this epoch
        record Restore(long afterEpoch, String facts, String means) implements Outcome {}
    }

    /// A backup, as far as it is known.
    ///
    /// @param text where it is, for people
    /// @param holds its zxid, time and ensemble; null if no EnsembleBackup tells
    public record Backup(String text, @Nullable String holds) {}

    /// Epochs that a member may have led of which nobody has told.
    private static final long UNTOLD_EPOCHS = 1000;

    /// {@return what beginning again with a backup means, as things are}
    ///
    /// The plan rests on who holds data, and not on how much: a running ensemble has more each
    /// time, and all of it is given up.
    ///
    /// @param members all that there should be
    /// @param into the member whose volume the backup is put on
    public static Outcome restore(
            String ensembleId, List<Candidate> members, Backup backup, String into) {
        List<String> facts =
                new ArrayList<>(
                        List.of(
                                ensembleId,
                                backup.text(),
                                String.valueOf(backup.holds()),
                                "into " + into));
        long epoch = 0;
        for (Candidate each : members) {
            facts.add(each.name() + (each.answers() ? each.holds() ? " holds" : " blank" : " ?"));
            epoch = Math.max(epoch, each.epoch());
        }
        StringBuilder text = new StringBuilder();
        text.append("all members are stopped, and the ensemble begins again with ")
                .append(backup.text())
                .append(
                        backup.holds() == null
                                ? ", of which no EnsembleBackup tells what it holds"
                                : ", " + backup.holds())
                .append(", on the volume of ")
                .append(into)
                .append(", which the others learn from. Lost is what was acknowledged behind that");
        List<String> holding =
                members.stream().filter(Candidate::holds).map(Candidate::text).toList();
        text.append(holding.isEmpty() ? ". " : ": " + String.join(", ", holding) + ". ")
                .append("Sessions end, and their ephemerals go. What the members hold is put aside")
                .append(" on their volumes, and kept.");
        warn(text, members);
        return new Outcome.Restore(
                epoch + UNTOLD_EPOCHS, String.join("\n", facts), text.toString());
    }

    /// {@return what could be done, as things are}
    ///
    /// @param members all that there should be
    public static Outcome of(String ensembleId, List<Candidate> members) {
        for (Candidate each : members) {
            if (each.leads()) {
                return new Outcome.NotPossible(
                        each.name() + " leads a quorum: there is nothing to recover");
            }
        }
        List<Candidate> holding = members.stream().filter(Candidate::holds).toList();
        Candidate survivor =
                holding.stream()
                        .max(
                                Comparator.comparingLong(Candidate::epoch)
                                        .thenComparing(Candidate::logged, Long::compareUnsigned)
                                        .thenComparing(
                                                Comparator.comparingInt(Candidate::myid)
                                                        .reversed()))
                        .orElse(null);
        if (survivor == null) {
            return new Outcome.NotPossible(
                    "no member that answers holds data: bring one back that does, or restore a"
                            + " volume");
        }
        int needed = survivor.voters() / 2 + 1;
        if (holding.size() >= needed) {
            return new Outcome.NotPossible(
                    "%d members hold data, and %d are a quorum: they find a leader by themselves"
                            .formatted(holding.size(), needed));
        }
        return new Outcome.Survive(survivor, facts(ensembleId, members), means(survivor, members));
    }

    private static String facts(String ensembleId, List<Candidate> members) {
        List<String> facts = new ArrayList<>(List.of(ensembleId));
        members.forEach(each ->
                facts.add(each.text() + " " + Objects.requireNonNullElse(each.incarnation(), "-")));
        return String.join("\n", facts);
    }

    private static String means(Candidate survivor, List<Candidate> members) {
        List<String> older =
                members.stream()
                        .filter(each -> each.holds() && each.myid() != survivor.myid())
                        .map(Candidate::name)
                        .toList();
        StringBuilder text = new StringBuilder();
        text.append("the ensemble goes on with the data of ")
                .append(survivor.name())
                .append(", of epoch ")
                .append(survivor.epoch())
                .append(" up to 0x")
                .append(Long.toHexString(survivor.logged()))
                .append(". Lost is what the others acknowledged behind that.");
        if (!older.isEmpty()) {
            text.append(" What ")
                    .append(String.join(", ", older))
                    .append(" hold is put aside on their volumes, and kept.");
        }
        if (warn(text, members)) {
            text.append(" If one of them holds newer data, bring it back instead.");
        }
        return text.toString();
    }

    private static boolean warn(StringBuilder text, List<Candidate> members) {
        List<String> silent =
                members.stream().filter(each -> !each.answers()).map(Candidate::name).toList();
        if (!silent.isEmpty()) {
            text.append(" First make sure that ")
                    .append(String.join(", ", silent))
                    .append(" run nowhere: a majority that is only out of sight would go on beside")
                    .append(" this one.");
        }
        return !silent.isEmpty();
    }
}
