/// The load generator of `ensemble bench`, for any server that speaks ZooKeeper's protocol. [Load]
/// runs it, over one [LoadConnection] for each session; [CpuTime] asks the system what the servers
/// used. [StoreLoad] measures a disk, without servers. Imports `model`, `wire`, `tree`, `zab`,
/// `store`, `tool.client` and Netty.
@NullMarked
package dev.ensemble.server.tool.bench;

import org.jspecify.annotations.NullMarked;
