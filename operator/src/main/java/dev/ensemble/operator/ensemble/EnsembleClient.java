package dev.ensemble.operator.ensemble;

import java.net.URI;
import java.util.Map;

/// What we ask running members.
public interface EnsembleClient {
    /// Asks all of them at once. Takes no longer than the slowest is given.
    ///
    /// @param members the root of each member's admin server, by myid
    /// @return an answer for each of them
    Map<Integer, Answer> ask(Map<Integer, URI> members);

    /// What a member answered.
    sealed interface Answer {
        /// It told its status.
        record Known(MemberStatus status) implements Answer {}

        /// It did not, so nothing is known about it.
        ///
        /// @param why in words for people
        record Unknown(String why) implements Answer {}
    }
}
