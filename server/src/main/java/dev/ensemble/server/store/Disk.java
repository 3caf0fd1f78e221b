package dev.ensemble.server.store;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/// The folder of a member as the store uses it: few operations, each of which may be the last
/// before a crash.
///
/// A port: [FolderDisk] is the real one, and the tests have one that crashes. Names are relative to
/// the folder, with `/` between a folder and what is in it. What is written or renamed survives a
/// loss of power only after [File#force] or [#syncFolder]; the store relies on nothing else.
public interface Disk extends Closeable {
    /// The name of the whole folder.
    String ROOT = "";

    /// {@return the names in a folder, without the folder's own, in their natural order; none if
    /// there is no such folder}
    List<String> list(String folder) throws IOException;

    boolean exists(String name) throws IOException;

    /// Makes a folder, unless it is there.
    void makeFolder(String name) throws IOException;

    /// Opens a new file; one of that name is emptied.
    File create(String name) throws IOException;

    /// Makes a file of zeroes that has its bytes for certain: writing into them needs no more
    /// space.
    void allocate(String name, long bytes) throws IOException;

    /// Opens a file to read and write.
    File open(String name) throws IOException;

    /// Gives a file or folder another name, in place of the file that has it.
    void rename(String from, String to) throws IOException;

    /// Makes durable which names are in a folder.
    void syncFolder(String name) throws IOException;

    /// {@return how long ago a file was last written to, by the clock on the wall; 0 if that lies
    /// ahead}
    long ageMillis(String name) throws IOException;

    /// Deletes a file, or a folder and all that is in it; nothing happens if there is none.
    void delete(String name) throws IOException;

    /// {@return how many bytes may still be written}
    long freeBytes() throws IOException;

    /// {@return how many bytes the whole file system has}
    long totalBytes() throws IOException;

    @Override
    void close() throws IOException;

    /// An open file.
    interface File extends Closeable {
        long size() throws IOException;

        /// Fills the buffer from `position` on, as far as the file goes.
        void read(long position, ByteBuffer into) throws IOException;

        /// Writes all that remains in the buffer.
        void write(long position, ByteBuffer from) throws IOException;

        /// Makes durable what was written, with as much of the metadata as reading it back needs.
        void force() throws IOException;

        @Override
        void close() throws IOException;
    }

    /// {@return the content of a small file}
    default byte[] read(String name) throws IOException {
        try (File file = open(name)) {
            var content = ByteBuffer.allocate(Math.toIntExact(file.size()));
            file.read(0, content);
            return content.array();
        }
    }
}
