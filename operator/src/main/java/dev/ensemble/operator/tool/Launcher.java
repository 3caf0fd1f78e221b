package dev.ensemble.operator.tool;

import java.nio.file.Path;

/// The script that called us. It says where it is, since it alone knows which JDK and which build
/// to use.
record Launcher(Path path) {
    static Launcher fromEnvironment() {
        String path = System.getenv("ENSEMBLE_LAUNCHER");
        if (path == null || path.isEmpty()) {
            throw new Refusal(
                    "ENSEMBLE_LAUNCHER is not set: call this program by the script `ensemble`");
        }
        return new Launcher(Path.of(path));
    }

    /// {@return what a person types in this folder to call it}
    String typed() {
        Path here = Path.of("").toAbsolutePath();
        return path.toAbsolutePath().equals(here.resolve(path.getFileName()))
                ? "./" + path.getFileName()
                : path.toString();
    }
}
