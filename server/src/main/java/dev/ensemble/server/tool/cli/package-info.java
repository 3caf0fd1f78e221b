/// The commands of `ensemble cli`, spelled and printed as ZooKeeper's `zkCli.sh` does. [Shell] runs
/// a line, [Commands] has them all, [Paths] and [Access] are those that do more than one request.
/// Imports `model` and `tool.client`.
@NullMarked
package dev.ensemble.server.tool.cli;

import org.jspecify.annotations.NullMarked;
