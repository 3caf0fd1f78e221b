package dev.ensemble.server.net;

import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

/// Limits how fast clients may connect, so that a server is not busy with handshakes alone: a
/// bucket of tokens that fills with time, and, if it is asked for, a chance to be refused that
/// grows while the bucket is empty.
///
/// Any thread.
final class Admission {
    private ClientLimits.Tokens options;
    private final LongSupplier millis;
    private final DoubleSupplier chance;
    private double tokens;
    private double dropChance;
    private long filledMillis;
    private long judgedMillis;

    /// @param millis monotonic time
    /// @param chance a number from 0 to below 1, another one each time
    Admission(ClientLimits.Tokens options, LongSupplier millis, DoubleSupplier chance) {
        this.options = options;
        this.millis = millis;
        this.chance = chance;
        this.tokens = options.size();
        this.filledMillis = millis.getAsLong();
        this.judgedMillis = filledMillis;
    }

    /// Other limits from here on. A bucket that there was not before is full; one that is there
    /// keeps its tokens, as far as they fit.
    synchronized void limit(ClientLimits.Tokens now) {
        if (options.size() == 0) {
            tokens = now.size();
            filledMillis = millis.getAsLong();
            judgedMillis = filledMillis;
        }
        tokens = Math.min(tokens, now.size());
        if (now.freezeMillis() < 0) {
            dropChance = 0;
        }
        options = now;
    }

    /// {@return whether a client may go on}
    synchronized boolean admits(boolean isRenewal) {
        if (options.size() == 0) {
            return true;
        }
        long now = millis.getAsLong();
        long fills = (now - filledMillis) / options.fillMillis();
        if (fills > 0) {
            tokens = Math.min(options.size(), tokens + (double) fills * options.fillCount());
            filledMillis += fills * options.fillMillis();
        }
        if (options.freezeMillis() >= 0 && now - judgedMillis >= options.freezeMillis()) {
            judgedMillis = now;
            judge();
        }
        int needed = isRenewal ? options.renewal() : options.newSession();
        if (tokens < needed || (dropChance > 0 && chance.getAsDouble() < dropChance)) {
            return false;
        }
        tokens -= needed;
        return true;
    }

    private void judge() {
        if (tokens < 1) {
            dropChance = Math.min(1, dropChance + options.dropIncrease());
        } else if (tokens > options.size() * options.decreaseRatio()) {
            dropChance = Math.max(0, dropChance - options.dropDecrease());
        }
    }

    synchronized double dropChance() {
        return dropChance;
    }
}
