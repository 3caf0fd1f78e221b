package dev.ensemble.operator.tool;

import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;

/// What a person asked for and cannot have, in words that say what would work. Ends the command
/// with exit code 1 and no stack trace.
final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String says;

    Refusal(String says) {
        super(says);
        this.says = says;
    }

    String says() {
        return says;
    }

    /// {@return the reason of an I/O error, which Java often tells by the class alone}
    static String reason(Exception e) {
        return switch (e) {
            case NoSuchFileException _ -> "no such file";
            case AccessDeniedException _ -> "permission denied";
            case FileAlreadyExistsException _ -> "it exists and is no folder";
            default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        };
    }
}
