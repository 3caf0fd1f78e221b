package dev.ensemble.server.node;

import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;

/// Members that are processes on this machine: ours, or the original's.
interface Processes extends AutoCloseable {
    List<Integer> ids();

    int clientPort(int id);

    Process process(int id);

    /// Starts a member, or starts it again with the data that it had.
    void start(int id) throws IOException;

    /// `kill -9`.
    void kill(Integer... ids) throws InterruptedException;

    /// SIGTERM. {@return the exit code}
    int terminate(int id) throws InterruptedException;

    /// SIGSTOP or SIGCONT.
    void signal(int id, String name) throws IOException, InterruptedException;

    /// {@return the leader, once there is one that serves}
    int awaitLeader() throws InterruptedException;

    /// Waits until every member is in sync with the leader and serves.
    void awaitAllSynced() throws InterruptedException;

    /// {@return what a client connects to}
    default String connectString() {
        return ids().stream()
                .map(id -> "127.0.0.1:" + clientPort(id))
                .collect(Collectors.joining(","));
    }

    /// {@return the process ids}
    default List<Long> pids() {
        return ids().stream().map(id -> process(id).pid()).toList();
    }

    @Override
    void close();
}
