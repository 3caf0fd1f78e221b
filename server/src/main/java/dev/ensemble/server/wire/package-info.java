/// ZooKeeper's client protocol as bytes: what its types, records and frames look like.
///
/// Imports `model` and Netty's buffers; opens no connection. Start with [ClientCodec]; [Jute] knows
/// the types, [Op] the opcodes, [Handshake] the two records without a header.
@NullMarked
package dev.ensemble.server.wire;

import org.jspecify.annotations.NullMarked;
