/// Programs that run in processes of their own, in the cluster's network: stock ZooKeeper clients
/// that write, watch and hold ephemerals, and record what they saw; and a store for backups.
///
/// Imports `check`, for the entries that they record. Start with `Fleet`.
@NullMarked
package dev.ensemble.e2e.client;

import org.jspecify.annotations.NullMarked;
