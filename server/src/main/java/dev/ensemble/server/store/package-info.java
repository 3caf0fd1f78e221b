/// What a member keeps on disk: identity, epochs, the log of transactions and the state behind it.
///
/// Imports `model`, `zab`, `tree` and the classes generated from `store.proto`; alone in knowing
/// RocksDB. Start with [Store], which opens everything; [TxnLog] and [LogWriter] are the log and
/// its thread, [StateStore] the state, [Recovery] what is believed after a crash. The rules are 1,
/// 2 and 8 to 11 of the safety page; the formats are in `server/docs/storage.md`.
@NullMarked
package dev.ensemble.server.store;

import org.jspecify.annotations.NullMarked;
