package dev.ensemble.server.tool;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/// Backups as files of a folder.
record BackupFolder(Path file) implements BackupPlace {
    private Path folder() {
        Path folder = file.toAbsolutePath().getParent();
        return folder == null ? Path.of("/") : folder;
    }

    @Override
    public boolean isThere() {
        return Files.exists(file);
    }

    /// Beside the file, so that it can be renamed; what a backup that was cut off has left is
    /// written over.
    @Override
    public Path part() throws IOException {
        Files.createDirectories(folder());
        return folder().resolve(file.getFileName() + ".part");
    }

    @Override
    public void keep(Path part) throws IOException {
        try (FileChannel written = FileChannel.open(part, StandardOpenOption.READ)) {
            written.force(true);
        }
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
        try (FileChannel names = FileChannel.open(folder(), StandardOpenOption.READ)) {
            names.force(true);
        }
    }

    @Override
    public InputStream open() throws IOException {
        return Files.newInputStream(file);
    }

    @Override
    public List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder())) {
            return files.map(each -> String.valueOf(each.getFileName()))
                    .filter(each -> each.endsWith(SUFFIX))
                    .toList();
        }
    }

    @Override
    public InputStream beginning(String name) throws IOException {
        return Files.newInputStream(folder().resolve(name));
    }

    @Override
    public void delete(String name) throws IOException {
        Files.delete(folder().resolve(name));
    }

    @Override
    public String toString() {
        return file.toString();
    }
}
