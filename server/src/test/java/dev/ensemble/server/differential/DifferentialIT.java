package dev.ensemble.server.differential;

import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.nio.file.Path;

/// 500 programs; see [Differential] for any number of others.
@Timeout(600)
final class DifferentialIT {
    private static final int PROGRAMS = 250;

    @TempDir Path folder;

    @ParameterizedTest
    @EnumSource
    void clientsCannotTellTheServersApart(Flavour flavour) throws Exception {
        try (var comparison = new Comparison(folder, flavour)) {
            for (long seed = 1; seed <= PROGRAMS; seed++) {
                Comparison.Difference difference = comparison.compare(seed);
                assertNull(difference, () -> flavour + ": " + difference);
            }
        }
    }
}
