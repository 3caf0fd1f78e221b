/// The commands of `ensemble cli`, spelled and printed as ZooKeeper's `zkCli.sh` does. [Shell] runs
/// a line, [Commands] has them all; those of quotas, membership and whole subtrees have a class
/// each. Imports `model`, `tool.client` and the release.
@NullMarked
package dev.ensemble.server.tool.cli;

import org.jspecify.annotations.NullMarked;
