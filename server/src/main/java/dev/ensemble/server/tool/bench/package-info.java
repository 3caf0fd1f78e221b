/// The load generator of `ensemble bench`, for any server that speaks ZooKeeper's protocol. [Load]
/// runs it, over one [LoadConnection] for each session; [CpuTime] asks the system what the servers
/// used. Imports `model`, `wire`, `tool.client` and Netty.
@NullMarked
package dev.ensemble.server.tool.bench;

import org.jspecify.annotations.NullMarked;
