/// Tests from outside: what is installed on a real cluster, used with stock ZooKeeper clients.
///
/// Nothing here imports a class of ours; what a user cannot see, these tests cannot see. Start
/// reading in `scenario`.
@NullMarked
package dev.ensemble.e2e;

import org.jspecify.annotations.NullMarked;
