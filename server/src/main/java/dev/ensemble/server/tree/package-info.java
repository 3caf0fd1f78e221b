/// The tree of znodes as an immutable value, and what turns requests into transactions and reads
/// into answers.
///
/// Pure, and imports `model` only. Start with [Tree]; [Preparation] makes a write request a
/// transaction against the outlook, [Reads] answers a read request from a tree.
@NullMarked
package dev.ensemble.server.tree;

import org.jspecify.annotations.NullMarked;
