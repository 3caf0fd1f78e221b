package dev.ensemble.server.tool;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;

/// Where a backup is or is to be, with its neighbours: a folder of this host, or a bucket.
sealed interface BackupPlace extends Closeable permits BackupFolder, BackupBucket {
    /// How the names of backups end, of which retention deletes some.
    String SUFFIX = ".ensemble";

    /// {@return whether there is something by the backup's name}
    boolean isThere() throws IOException;

    /// {@return the file, on this host, in which a backup is gathered and tried before it is kept}
    Path part() throws IOException;

    /// Gives a backup that was tried its name, on disk. After a failure there is nothing by that
    /// name.
    void keep(Path part) throws IOException;

    /// {@return what is there by the backup's name}
    InputStream open() throws IOException;

    /// {@return the names of backups in the same folder, this one's too}
    List<String> names() throws IOException;

    /// {@return the beginning of one of those, at least as far as its header goes}
    InputStream beginning(String name) throws IOException;

    /// Deletes one of those.
    void delete(String name) throws IOException;

    @Override
    default void close() throws IOException {}
}
