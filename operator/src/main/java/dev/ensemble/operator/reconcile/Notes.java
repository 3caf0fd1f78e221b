package dev.ensemble.operator.reconcile;

import dev.ensemble.operator.api.Ensemble;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// What was refused lately and is not asked for again at once. Nothing that safety rests on: lost
/// with the process, it costs one more request.
final class Notes {
    private static final Duration PAUSE = Duration.ofMinutes(1);

    private final Map<String, Note> notes = new ConcurrentHashMap<>();

    /// Of one ensemble; used by one pass at a time.
    static final class Note {
        private volatile Instant handOverAgain = Instant.MIN;
        private volatile Instant growAgain = Instant.MIN;
        private volatile String growth = "";

        boolean handOverRefused(Instant now) {
            return now.isBefore(handOverAgain);
        }

        void refuseHandOver(Instant now) {
            handOverAgain = now.plus(PAUSE);
        }

        /// {@return why volumes cannot grow; null if that may be tried}
        @Nullable String growthRefused(Instant now) {
            return now.isBefore(growAgain) ? growth : null;
        }

        void refuseGrowth(Instant now, String why) {
            growth = why;
            growAgain = now.plus(PAUSE);
        }
    }

    Note of(Ensemble resource) {
        return notes.computeIfAbsent(resource.getMetadata().getUid(), _ -> new Note());
    }
}
