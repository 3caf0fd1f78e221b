/// Every behaviour of ZooKeeper that clients see, as a test, with its number in the test's name:
/// `b45` is line 45 of the list that `behaviours.txt` among the resources is checked against.
///
/// The tests of a server alone run against the original too, with `-Densemble.original=true`: what
/// they expect is what it does.
@NullMarked
package dev.ensemble.server.behaviour;

import org.jspecify.annotations.NullMarked;
