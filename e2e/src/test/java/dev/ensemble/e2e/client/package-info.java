/// A program with stock ZooKeeper clients that writes, watches and holds ephemerals, and records
/// what it saw.
///
/// It runs in a process of its own, in the cluster's network. Imports `check`, for the entries that
/// it records. Start with `Fleet`.
@NullMarked
package dev.ensemble.e2e.client;

import org.jspecify.annotations.NullMarked;
