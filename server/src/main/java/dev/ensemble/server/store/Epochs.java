package dev.ensemble.server.store;

import dev.ensemble.server.model.Zxid;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/// The file `epochs`: what the member has promised.
///
/// @param accepted the newest epoch that it promised to follow
/// @param current the newest epoch whose initial history it holds
record Epochs(long accepted, long current) {
    static final TextFile FILE = new TextFile("epochs");

    /// Before any promise.
    static final Epochs NONE = new Epochs(0, 0);

    void write(Disk disk) throws IOException {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("accepted", Long.toString(accepted));
        values.put("current", Long.toString(current));
        FILE.write(disk, values);
    }

    static Epochs read(Disk disk) throws IOException {
        Map<String, String> values = FILE.read(disk);
        return new Epochs(FILE.number(values, "accepted", 10), FILE.number(values, "current", 10));
    }

    /// {@return these epochs as they count with a log that ends at `logEnd` (`safety.md` 10)}
    ///
    /// @throws StoreException if the log holds an epoch that was never promised
    Epochs with(long logEnd) throws StoreException {
        long grown = Math.max(current, Zxid.epoch(logEnd));
        if (grown > accepted) {
            throw new StoreException(
                    "the file epochs says accepted "
                            + accepted
                            + " and current "
                            + current
                            + ", but the log ends at "
                            + Zxid.text(logEnd)
                            + " of epoch "
                            + Zxid.epoch(logEnd)
                            + ": accepted must be the highest. The files are not of one moment;"
                            + " remove the folder's content to rejoin as a new member");
        }
        return new Epochs(accepted, grown);
    }
}
