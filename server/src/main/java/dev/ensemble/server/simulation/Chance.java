package dev.ensemble.server.simulation;

import java.util.List;
import java.util.SplittableRandom;

/// All chance of one run, from its seed.
final class Chance {
    private final SplittableRandom random;

    Chance(long seed) {
        // Neighbouring seeds start alike: mixed once more.
        random = new SplittableRandom(new SplittableRandom(seed).nextLong());
    }

    boolean happens(double probability) {
        return random.nextDouble() < probability;
    }

    /// {@return a number from `low` to `high`, both included}
    long between(long low, long high) {
        return random.nextLong(low, high + 1);
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    /// {@return a duration around `mean`: many short ones, some long, none over eight times the
    /// mean}
    long around(long mean) {
        return Math.min(mean * 8, (long) (-Math.log1p(-random.nextDouble()) * mean));
    }

    <T> T pick(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    long any() {
        return random.nextLong();
    }

    byte[] bytes(int length) {
        var bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }
}
