package dev.ensemble.operator.ensemble;

import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/// What we ask running members.
public interface EnsembleClient {
    /// Asks all of them at once. Takes no longer than the slowest is given.
    ///
    /// @param members the root of each member's admin server, by myid
    /// @return an answer for each of them
    Map<Integer, Answer> ask(Map<Integer, URI> members);

    /// Asks the leader to change the voters.
    ///
    /// @param leader the root of its admin server
    /// @param audience identity of the ensemble, for which the request is signed
    Outcome changeVoters(URI leader, String audience, Change change);

    /// Asks the leader to let another member lead.
    ///
    /// @param leader the root of its admin server
    /// @param audience identity of the ensemble, for which the request is signed
    Outcome handOver(URI leader, String audience, int to);

    /// A change of the voters.
    ///
    /// @param version the configuration that it rests on
    /// @param add each new voter by its myid, as in the line `server.N` of its file
    /// @param remove myids
    record Change(String version, SortedMap<Integer, String> add, List<Integer> remove) {}

    /// What became of a request.
    sealed interface Outcome {
        /// It is done, or under way.
        record Done() implements Outcome {}

        /// It is not, and will not be.
        ///
        /// @param why in words for people
        record Refused(String why) implements Outcome {}

        /// Nobody knows; what is observed next tells.
        ///
        /// @param why in words for people
        record Unknown(String why) implements Outcome {}
    }

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
