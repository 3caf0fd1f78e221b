/// The same programs of operations against the original and against ours: what a client observes
/// must be the same.
///
/// [Programs] makes a program of a seed, [Run] runs it against one server and tells what its
/// clients saw as a [Trace], [Comparison] runs it against both and shrinks one that tells them
/// apart. [Exceptions] holds what differs on purpose. Start reading at [Comparison].
package dev.ensemble.server.differential;
