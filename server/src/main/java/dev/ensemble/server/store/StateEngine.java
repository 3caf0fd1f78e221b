package dev.ensemble.server.store;

import org.jspecify.annotations.Nullable;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;

/// Sorted keys and values on disk, of one state folder. A port: [RocksEngine] is the real one.
interface StateEngine extends Closeable {
    /// A key with its value, or without one: then it is removed.
    record Change(byte[] key, byte @Nullable [] value) {}

    /// Opens the engines of a data folder.
    interface Opener {
        /// @param folder made if it is missing
        /// @throws DamagedException if what is there is not as it was written
        StateEngine open(String folder) throws IOException;
    }

    /// What [#forEach] hands over.
    interface Visitor {
        void accept(byte[] key, byte[] value) throws IOException;
    }

    /// Makes these changes, all or none of them, durable.
    ///
    /// @param sorted by key (unsigned bytes), each key once
    void ingest(List<Change> sorted) throws IOException;

    byte @Nullable [] get(byte[] key) throws IOException;

    /// Hands over everything, by ascending key.
    void forEach(Visitor visitor) throws IOException;

    @Override
    void close() throws IOException;
}
