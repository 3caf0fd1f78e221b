/// The values that every other part speaks of: transaction ids, requests, transactions, sessions,
/// the ensemble.
///
/// Pure, and imports nothing of ours. Start with [Request] (what a client asks), [Txn] (what the
/// leader made of it) and [Result] (what applying it gave).
@NullMarked
package dev.ensemble.server.model;

import org.jspecify.annotations.NullMarked;
