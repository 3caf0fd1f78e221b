package dev.ensemble.server.differential;

import java.util.List;
import java.util.stream.Collectors;

/// @param seed that it was made of
record Program(long seed, List<Step> steps) {
    static final int CLIENTS = 3;

    Program with(List<Step> others) {
        return new Program(seed, List.copyOf(others));
    }

    @Override
    public String toString() {
        return steps.stream().map(step -> "  " + step).collect(Collectors.joining("\n"));
    }
}
