/// TLS for clients, members and the admin port: key and trust stores, their reload, telling TLS
/// from plaintext by the first byte, and which member a certificate is good for.
///
/// Imports Netty and Java's own security classes. Start with [Tls]; `server/docs/tls.md` has every
/// key.
@NullMarked
package dev.ensemble.server.tls;

import org.jspecify.annotations.NullMarked;
