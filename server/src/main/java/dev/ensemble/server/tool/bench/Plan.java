package dev.ensemble.server.tool.bench;

import dev.ensemble.server.tool.client.ConnectString;

import java.time.Duration;
import java.util.List;

/// What load to make.
///
/// @param where the connections are spread evenly over its addresses
/// @param outstanding requests in flight on each connection, at most
/// @param ratePerSecond requests of all connections together; 0: the next goes out when one is
///   answered
/// @param readPercent of the requests; the others are writes
/// @param dataBytes of each znode, and of each write
/// @param znodes that are read and written, each as often as any other
/// @param warmUp before anything is counted
/// @param threads that send and receive
/// @param pids processes whose CPU time is asked for
/// @param seed of the choices of znodes, and of reads and writes
public record Plan(
        ConnectString where,
        int connections,
        int outstanding,
        int ratePerSecond,
        int readPercent,
        int dataBytes,
        int znodes,
        Duration warmUp,
        Duration duration,
        int threads,
        List<Long> pids,
        long seed) {}
