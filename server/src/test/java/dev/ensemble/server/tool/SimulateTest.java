package dev.ensemble.server.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ensemble.server.simulation.Sabotage;

import org.junit.jupiter.api.Test;

import java.io.PrintWriter;
import java.io.StringWriter;

/// `ensemble simulate`, with seeds that take no time.
final class SimulateTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int simulate(String... args) {
        var all = new String[args.length + 1];
        all[0] = "simulate";
        System.arraycopy(args, 0, all, 1, args.length);
        return Main.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(all);
    }

    @Test
    void endsWithZeroIfAMutationIsNoticed() {
        assertEquals(0, simulate("--mutation", "acks-too-much", "--seeds", "20"));
        assertTrue(out.toString().startsWith("acks-too-much: noticed, seed "), out.toString());
    }

    /// What takes dozens of seeds (`server/docs/testing.md`).
    @Test
    void endsWithOneIfNoSeedNoticesIt() {
        assertEquals(1, simulate("--mutation", "history-understated", "--seeds", "2"));
        assertEquals("history-understated: not noticed by 2 seeds from 1\n", out.toString());
    }

    @Test
    void namesWhatCanBeBroken() {
        assertEquals(2, simulate("--mutation", "everything"));
        assertTrue(err.toString().contains("--mutation everything: all, "), err.toString());
        for (Sabotage each : Sabotage.all()) {
            assertTrue(err.toString().contains(each.label()), each.label());
        }
    }

    @Test
    void refusesNoSeeds() {
        assertEquals(2, simulate("--seeds", "0"));
        assertTrue(err.toString().contains("--seeds 0: at least 1"), err.toString());
    }
}
