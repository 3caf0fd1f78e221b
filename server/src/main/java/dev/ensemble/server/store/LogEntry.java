package dev.ensemble.server.store;

import dev.ensemble.server.model.Payload;

/// A transaction in the log.
public record LogEntry(long zxid, Payload payload) {}
