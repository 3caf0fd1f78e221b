package dev.ensemble.server.simulation;

import dev.ensemble.server.zab.Hello;
import dev.ensemble.server.zab.Message;

import java.util.List;

/// What a [Sabotage] makes of the messages on their way: a member seems to break a rule that the
/// others rest on.
final class Lies {
    private static final double OFTEN = 0.5;
    private static final double SELDOM = 0.01;

    private final Sabotage sabotage;
    private final Chance chance;

    Lies(Sabotage sabotage, Chance chance) {
        this.sabotage = sabotage;
        this.chance = chance;
    }

    /// {@return what arrives of what `from` said}
    Message altered(int from, Message message) {
        return switch (message) {
            case Message.TreeDigest(long zxid, long digest, boolean _, int version)
                    when sabotage == Sabotage.TREE_DIFFERS && from == 2 ->
                    new Message.TreeDigest(zxid, digest + 1, false, version);
            case Message.Commit(long zxid) when lies(Sabotage.COMMITS_TOO_EARLY, SELDOM) ->
                    new Message.Commit(zxid + 3);
            case Message.Ack(long zxid) when lies(Sabotage.ACKS_TOO_MUCH, SELDOM) ->
                    new Message.Ack(zxid + 3);
            case Message.AckEpoch said -> position(said);
            case Message.Notification said when lies(Sabotage.COMMITTED_OVERSTATED, OFTEN) ->
                    new Message.Notification(
                            said.state(),
                            said.leader(),
                            said.zxid(),
                            said.peerEpoch(),
                            said.round(),
                            said.identity(),
                            said.seen(),
                            said.committed() + 3);
            default -> message;
        };
    }

    private Message.AckEpoch position(Message.AckEpoch said) {
        List<Long> ends = said.epochEnds();
        if (ends.size() > 1 && lies(Sabotage.HISTORY_UNDERSTATED, OFTEN)) {
            List<Long> fewer = ends.subList(0, ends.size() - 1);
            return new Message.AckEpoch(
                    said.promised(), said.currentEpoch() - 1, fewer.getLast(), fewer);
        }
        return said;
    }

    /// {@return whether a message arrives twice, as if its sender had asked twice}
    boolean doubles(Message message) {
        return message instanceof Message.Forward && lies(Sabotage.ASKS_TWICE, SELDOM);
    }

    /// {@return what arrives of a hello}
    Hello altered(Hello hello) {
        return sabotage == Sabotage.LEVEL_OVERSTATED
                ? new Hello(
                        Hello.PROTOCOL,
                        hello.ensembleId(),
                        hello.myid(),
                        hello.incarnation(),
                        hello.starts(),
                        hello.state(),
                        hello.bootstrapRecord())
                : hello;
    }

    private boolean lies(Sabotage lie, double probability) {
        return sabotage == lie && chance.happens(probability);
    }
}
