/// Who a client is, and what an access control list grants to it, by scheme (`client-protocol`
/// section 16).
///
/// Imports `model`, Netty's parser of addresses and Java's SASL. Start with [Schemes].
@NullMarked
package dev.ensemble.server.auth;

import org.jspecify.annotations.NullMarked;
