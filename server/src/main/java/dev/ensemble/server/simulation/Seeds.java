package dev.ensemble.server.simulation;

import org.jspecify.annotations.Nullable;

import java.util.Optional;
import java.util.function.Consumer;

/// Many runs, one after the other.
public final class Seeds {
    private final int members;
    private final Sabotage sabotage;
    private final Coverage coverage = new Coverage();
    private long count;

    /// @param members 0: as each seed has it
    public Seeds(int members, Sabotage sabotage) {
        this.members = members;
        this.sabotage = sabotage;
    }

    /// Runs one seed.
    ///
    /// @param live gets each event as text, if there is one
    /// @return what was violated, if anything was
    public Optional<Violation> run(long seed, @Nullable Consumer<String> live) {
        count++;
        try {
            coverage.add(new Simulation(seed, members, sabotage, live).run());
            return Optional.empty();
        } catch (Violation violation) {
            return Optional.of(violation);
        }
    }

    /// {@return how many seeds have run}
    public long count() {
        return count;
    }

    public Coverage coverage() {
        return coverage;
    }
}
