package dev.ensemble.server.tool;

import com.fasterxml.jackson.jr.ob.JSON;

import dev.ensemble.server.model.Ensemble;
import dev.ensemble.server.model.Zxid;
import dev.ensemble.server.store.BackupFile;
import dev.ensemble.server.store.Restoration;
import dev.ensemble.server.store.Store;
import dev.ensemble.server.store.StoreOptions;
import dev.ensemble.server.tree.HashKey;
import dev.ensemble.server.tree.Tree;

import org.jspecify.annotations.Nullable;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Whether a backup is good, and which ones may go.
final class BackupTrial {
    private BackupTrial() {}

    static HashKey key() {
        var random = new SecureRandom();
        return new HashKey(random.nextLong(), random.nextLong());
    }

    /// {@return what is in a backup, every byte of which was checked}
    static BackupFile.Content read(InputStream from) throws IOException {
        return BackupFile.read(new BufferedInputStream(from, 1 << 20), key());
    }

    /// Restores a backup into a folder of its own, starts from that as a member would, and deletes
    /// it again.
    ///
    /// @param scratch where that folder goes
    /// @throws IOException if what a member would start with is not what the backup says it is
    static BackupFile.Header run(Path file, Path scratch) throws IOException {
        BackupFile.Content content;
        try (InputStream in = Files.newInputStream(file)) {
            content = read(in);
        }
        Files.createDirectories(scratch);
        Path folder = Files.createTempDirectory(scratch, "trial.");
        try {
            var self = new Ensemble.Member(1, "trial", 0, 0, Ensemble.Role.PARTICIPANT, null, 0);
            Path data = folder.resolve("data");
            Restoration.Restored restored =
                    Restoration.restore(
                            data,
                            data,
                            content.tree(),
                            new Restoration.Seed("trial", self, 0, null),
                            StoreOptions.DEFAULT,
                            content.header().timeMillis());
            try (Store store = Store.open(data, 1, key(), StoreOptions.DEFAULT)) {
                check(content, restored, store.recovered().tree());
            }
        } finally {
            delete(folder);
        }
        return content.header();
    }

    private static void check(BackupFile.Content content, Restoration.Restored restored, Tree found)
            throws IOException {
        int ephemerals = content.tree().ephemeralCount();
        if (found.zxid() != restored.zxid()
                || found.znodeCount() != content.header().znodes() - ephemerals
                || found.sessionCount() != 0) {
            throw new IOException(
                    "restored for a trial, the backup has "
                            + found.znodeCount()
                            + " znodes at "
                            + Zxid.text(found.zxid())
                            + " instead of "
                            + (content.header().znodes() - ephemerals)
                            + " at "
                            + Zxid.text(restored.zxid()));
        }
    }

    private static void delete(Path folder) throws IOException {
        List<Path> all;
        try (Stream<Path> found = Files.walk(folder)) {
            all = found.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path each : all) {
            Files.delete(each);
        }
    }

    private record Kept(String name, long timeMillis) {}

    /// Deletes older backups of the same ensemble, never the newest.
    ///
    /// @param keep how many stay; 0: any number
    /// @param keepHours how old one may be; 0: any age
    /// @return the names of those that went
    static List<String> prune(
            BackupPlace place, BackupFile.Header newest, String prefix, int keep, int keepHours)
            throws IOException {
        if (keep <= 0 && keepHours <= 0) {
            return List.of();
        }
        var found = new ArrayList<Kept>();
        for (String name : place.names()) {
            BackupFile.Header header = name.startsWith(prefix) ? header(place, name) : null;
            if (header != null && header.ensembleId().equals(newest.ensembleId())) {
                found.add(new Kept(name, header.timeMillis()));
            }
        }
        found.sort(Comparator.comparingLong(Kept::timeMillis).reversed().thenComparing(Kept::name));
        long oldest = newest.timeMillis() - Duration.ofHours(keepHours).toMillis();
        var deleted = new ArrayList<String>();
        for (int i = 1; i < found.size(); i++) {
            Kept each = found.get(i);
            if ((keep > 0 && i >= keep) || (keepHours > 0 && each.timeMillis() < oldest)) {
                place.delete(each.name());
                deleted.add(each.name());
            }
        }
        return deleted;
    }

    /// {@return null for what is no backup: not ours to delete}
    private static BackupFile.@Nullable Header header(BackupPlace place, String name) {
        try (InputStream in = place.beginning(name)) {
            return BackupFile.header(in);
        } catch (IOException _) {
            return null;
        }
    }

    /// {@return what the operator is told of a backup}
    ///
    /// @param deleted older ones that went
    /// @param stayed why others could not be deleted, if that is so
    static String json(
            BackupFile.Header header, long bytes, List<String> deleted, @Nullable String stayed)
            throws IOException {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("ensembleId", header.ensembleId());
        values.put("zxid", Zxid.text(header.zxid()));
        values.put("epoch", Zxid.epoch(header.zxid()));
        values.put("time", Instant.ofEpochMilli(header.timeMillis()).toString());
        values.put("digest", Long.toHexString(header.digest()));
        values.put("znodes", header.znodes());
        values.put("bytes", bytes);
        values.put("member", header.member());
        values.put("deleted", deleted);
        if (stayed != null) {
            values.put("stayed", stayed);
        }
        return JSON.std.asString(values);
    }
}
