package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.ensemble.EnsembleClient;
import dev.ensemble.operator.ensemble.MemberStatus;

import java.net.URI;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntFunction;

/// Members who are asked how they are, and told to do nothing.
interface Asked extends EnsembleClient {
    /// {@return what they answer if all of them do}
    ///
    /// @param says what the member with this myid tells about itself
    static Map<Integer, Answer> all(Map<Integer, URI> members, IntFunction<MemberStatus> says) {
        Map<Integer, Answer> answers = new TreeMap<>();
        members.forEach((myid, _) -> answers.put(myid, new Answer.Known(says.apply(myid))));
        return answers;
    }

    @Override
    default Outcome changeVoters(URI leader, String audience, Change change) {
        throw new AssertionError("not asked for");
    }

    @Override
    default Outcome handOver(URI leader, String audience, int to) {
        throw new AssertionError("not asked for");
    }
}
