package dev.ensemble.operator.tool;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/// Which ensemble of this machine a command is about.
final class LocalChoice {
    private static final Path ROOT = Path.of(".ensemble");

    private LocalChoice() {}

    /// {@return the folder of an ensemble that was given none}
    static Path standard(String name) {
        return ROOT.resolve(name);
    }

    /// {@return the folder that the person named, or the only one there is}
    static LocalDir existing(@Nullable Path named) {
        Path folder = named == null ? only() : named;
        LocalDir dir = new LocalDir(folder);
        if (dir.identity() == null) {
            throw new Refusal("there is no ensemble in " + folder + "; `ensemble up` makes one");
        }
        return dir;
    }

    private static Path only() {
        if (!Files.isDirectory(ROOT)) {
            throw new Refusal(
                    "there is no ensemble in this folder (no %s); start one with `ensemble up`, or"
                                    .formatted(ROOT)
                            + " name its folder with --dir");
        }
        List<Path> found;
        try (var files = Files.list(ROOT)) {
            found =
                    files.filter(each -> Files.exists(each.resolve("ensemble.json")))
                            .sorted()
                            .toList();
        } catch (IOException e) {
            throw new Refusal("cannot read " + ROOT + ": " + Refusal.reason(e));
        }
        if (found.size() != 1) {
            throw new Refusal(
                    found.isEmpty()
                            ? "there is no ensemble in " + ROOT + "; start one with `ensemble up`"
                            : "there are several ensembles; name one with --dir: "
                                    + found.stream()
                                            .map(Path::toString)
                                            .collect(Collectors.joining(", ")));
        }
        return found.getFirst();
    }
}
