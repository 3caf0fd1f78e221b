package dev.ensemble.server.differential;

import java.nio.file.Files;
import java.nio.file.Path;

/// Any number of programs: `Differential <flavour> <first seed> <how many>`.
final class Differential {
    private Differential() {}

    public static void main(String[] args) throws Exception {
        Flavour flavour = Flavour.valueOf(args[0].toUpperCase(java.util.Locale.ROOT));
        long first = Long.parseLong(args[1]);
        long count = Long.parseLong(args[2]);
        Path folder = Files.createTempDirectory("differential");
        int different = 0;
        long began = System.nanoTime();
        try (var comparison = new Comparison(folder, flavour)) {
            for (long seed = first; seed < first + count && different < 10; seed++) {
                Comparison.Difference difference = comparison.compare(seed);
                if (difference != null) {
                    different++;
                    System.out.println(difference);
                }
            }
        }
        System.out.printf(
                "%d different, in %d s; data in %s%n",
                different, (System.nanoTime() - began) / 1_000_000_000, folder);
        System.exit(different == 0 ? 0 : 1);
    }
}
