package dev.ensemble.server.node;

import dev.ensemble.server.member.Input;
import dev.ensemble.server.net.ClientServer;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// How a member goes: a leader hands over, clients are answered and closed. Any thread.
final class Leaving {
    private static final Logger LOG = LoggerFactory.getLogger(Leaving.class);

    /// How long a drained member goes on, so that load balancers and clients have noticed.
    private static final int DRAIN_SERVES_MILLIS = 5000;

    private static final int DRAIN_ENDS_MILLIS = 5000;
    private static final int STOP_MILLIS = 800;

    private final Observed observed;
    private @Nullable ClientServer clients;
    private @Nullable PeerLoop loop;
    private @Nullable CompletableFuture<?> drained;

    Leaving(Observed observed) {
        this.observed = observed;
    }

    /// Clients are served from here on.
    synchronized void serving(ClientServer served) {
        clients = served;
    }

    /// The member can lead from here on.
    synchronized void started(PeerLoop running) {
        loop = running;
    }

    /// Takes the member out of service without a failed request: not ready at once, a leader hands
    /// over, clients are served a while longer, then answered and closed.
    ///
    /// @return done when no client is left
    synchronized CompletionStage<?> drain() {
        if (drained == null) {
            LOG.info("draining");
            observed.drain();
            CompletionStage<?> handedOver = handOver();
            drained =
                    CompletableFuture.runAsync(
                                    () -> {},
                                    CompletableFuture.delayedExecutor(
                                            DRAIN_SERVES_MILLIS, TimeUnit.MILLISECONDS))
                            .thenCombine(handedOver, (_, answer) -> answer)
                            .thenCompose(_ -> endClients(DRAIN_ENDS_MILLIS));
        }
        return drained;
    }

    /// The same at once, for a process that ends. Takes about a second at most.
    void now() {
        observed.drain();
        try {
            handOver().toCompletableFuture().get(2L * STOP_MILLIS, TimeUnit.MILLISECONDS);
            endClients(STOP_MILLIS).get(2L * STOP_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            LOG.atWarn().log("clients are left: {}", e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// A leader that goes by itself costs its clients nothing. If nobody can take over, the others
    /// elect when it is gone.
    private synchronized CompletionStage<?> handOver() {
        PeerLoop running = loop;
        Facts facts = observed.facts();
        if (running == null || facts == null || !facts.isLeader()) {
            return CompletableFuture.completedStage(null);
        }
        return running.ask(ticket -> new Input.Transfer(ticket, 0, -1))
                .thenAccept(answer -> LOG.info("handing over: {}", answer))
                .toCompletableFuture()
                .completeOnTimeout(null, STOP_MILLIS, TimeUnit.MILLISECONDS);
    }

    private synchronized CompletableFuture<?> endClients(int millis) {
        ClientServer serving = clients;
        return serving == null ? CompletableFuture.completedFuture(null) : serving.drain(millis);
    }
}
