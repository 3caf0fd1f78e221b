/// Everything that has a socket: clients and the links between members.
///
/// May import the pure packages, `wire`, `auth`, `tls` and `proto`; Netty and Protobuf. Start with
/// [ClientServer] for clients and [Links] for members.
@NullMarked
package dev.ensemble.server.net;

import org.jspecify.annotations.NullMarked;
