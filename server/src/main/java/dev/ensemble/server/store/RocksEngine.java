package dev.ensemble.server.store;

import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.CompressionType;
import org.rocksdb.EnvOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.IngestExternalFileOptions;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.SstFileWriter;
import org.rocksdb.Status;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A state folder in RocksDB. Changes come as one sorted file, which RocksDB takes in as a whole:
/// atomic and durable without a write-ahead log (`safety.md` 2).
///
/// The memory settings are small: what is served comes from the tree, and RocksDB only writes,
/// compacts and loads once.
final class RocksEngine implements StateEngine {
    private static final String INGEST = "ingest.sst";
    private static final long CACHE_BYTES = 1 << 20;
    private static final long WRITE_BUFFER_BYTES = 64 << 10;
    private static final int OPEN_FILES = 64;

    static {
        RocksDB.loadLibrary();
    }

    private final Path folder;
    private final LRUCache cache;
    private final Options options;
    private final RocksDB db;

    private RocksEngine(Path folder, boolean readOnly) throws IOException {
        this.folder = folder;
        this.cache = new LRUCache(CACHE_BYTES);
        this.options = options(cache);
        try {
            db =
                    readOnly
                            ? RocksDB.openReadOnly(options, folder.toString())
                            : RocksDB.open(options, folder.toString());
        } catch (RocksDBException e) {
            options.close();
            cache.close();
            throw failure("open", e);
        }
    }

    static RocksEngine open(Path folder) throws IOException {
        Files.createDirectories(folder);
        return new RocksEngine(folder, false);
    }

    /// Opens a state to look, beside whoever works with it.
    static RocksEngine look(Path folder) throws IOException {
        return new RocksEngine(folder, true);
    }

    private static Options options(LRUCache cache) {
        return new Options()
                .setCreateIfMissing(true)
                .setParanoidChecks(true)
                .setWriteBufferSize(WRITE_BUFFER_BYTES)
                .setMaxWriteBufferNumber(2)
                .setMaxOpenFiles(OPEN_FILES)
                .setMaxBackgroundJobs(2)
                .setMaxFileOpeningThreads(1)
                .setCompressionType(CompressionType.LZ4_COMPRESSION)
                .setKeepLogFileNum(2)
                .setMaxLogFileSize(1 << 20)
                .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
                .setStatsDumpPeriodSec(0)
                .setStatsPersistPeriodSec(0)
                .setSkipStatsUpdateOnDbOpen(true)
                .setTableFormatConfig(new BlockBasedTableConfig().setBlockCache(cache));
    }

    @Override
    public void ingest(List<Change> sorted) throws IOException {
        Path file = folder.resolve(INGEST);
        Files.deleteIfExists(file);
        try {
            write(file, sorted);
            try (var how = new IngestExternalFileOptions().setMoveFiles(true)) {
                db.ingestExternalFile(List.of(file.toString()), how);
            }
        } catch (RocksDBException e) {
            throw failure("store", e);
        }
        Files.deleteIfExists(file);
    }

    private void write(Path file, List<Change> sorted) throws RocksDBException {
        try (var environment = new EnvOptions();
                var writer = new SstFileWriter(environment, options)) {
            writer.open(file.toString());
            for (Change change : sorted) {
                byte[] value = change.value();
                if (value == null) {
                    writer.delete(change.key());
                } else {
                    writer.put(change.key(), value);
                }
            }
            writer.finish(); // Syncs the file.
        }
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        try {
            return db.get(key);
        } catch (RocksDBException e) {
            throw failure("read", e);
        }
    }

    @Override
    public void forEach(Visitor visitor) throws IOException {
        try (var reading = new ReadOptions().setFillCache(false).setReadaheadSize(1 << 20);
                RocksIterator at = db.newIterator(reading)) {
            for (at.seekToFirst(); at.isValid(); at.next()) {
                visitor.accept(at.key(), at.value());
            }
            at.status();
        } catch (RocksDBException e) {
            throw failure("read", e);
        }
    }

    private IOException failure(String what, RocksDBException e) {
        String text = "cannot " + what + " the state in " + folder + ": " + e.getMessage();
        Status status = e.getStatus();
        Status.Code code = status == null ? null : status.getCode();
        return code == Status.Code.Corruption || code == Status.Code.NotFound
                ? new DamagedException(text, e)
                : new IOException(text, e);
    }

    @Override
    public void close() {
        db.close();
        options.close();
        cache.close();
    }
}
