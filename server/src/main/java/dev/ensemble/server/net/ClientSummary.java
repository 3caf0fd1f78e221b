package dev.ensemble.server.net;

/// What is measured on the side of the clients, under ZooKeeper's names.
public enum ClientSummary {
    READLATENCY(true, 1000, "Latency of reads in ms"),
    UPDATELATENCY(true, 1000, "Latency of writes in ms"),
    NODE_CREATED_WATCH_COUNT(false, 1, "Watches fired by a creation"),
    NODE_DELETED_WATCH_COUNT(false, 1, "Watches fired by a deletion"),
    NODE_CHANGED_WATCH_COUNT(false, 1, "Watches fired by new data"),
    NODE_CHILDREN_WATCH_COUNT(false, 1, "Watches fired by a change of children");

    private final boolean advanced;
    private final int scale;
    private final String help;

    ClientSummary(boolean advanced, int scale, String help) {
        this.advanced = advanced;
        this.scale = scale;
        this.help = help;
    }

    /// {@return whether its quantiles are of interest}
    public boolean isAdvanced() {
        return advanced;
    }

    /// {@return by what the values are divided before they are shown}
    public int scale() {
        return scale;
    }

    public String help() {
        return help;
    }
}
