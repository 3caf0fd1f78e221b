package dev.ensemble.server.store;

import dev.ensemble.server.model.Zxid;

/// The file `epochs`: what the member has promised.
///
/// @param accepted the newest epoch that it promised to follow
/// @param current the newest epoch whose initial history it holds
record Epochs(long accepted, long current) {
    /// Before any promise.
    static final Epochs NONE = new Epochs(0, 0);

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
