/// A small client of the protocol for our own tools, over blocking sockets: one session that
/// survives a lost connection and finds another member. Imports `model`, `wire` and `tls`. Start at
/// [Client]; [ConnectString] says where to connect.
@NullMarked
package dev.ensemble.server.tool.client;

import org.jspecify.annotations.NullMarked;
