package dev.gatepass.driver;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * How callers wait. The core says who fetches and who waits for which flight; this class carries that out.
 *
 * <p>A flight flies by itself, on a thread of its own and within the limits of its steps: when the caller who was chosen
 * for it goes away, interrupted or out of time, the others still get what it brings.
 *
 * <p>Why nobody waits for ever: a landing first has the core forget the flight and then, under the lock, takes the
 * future of those who wait. Whoever still hears of the flight when asking the core under that lock is before the second
 * step, so the future that it finds, or adds, is yet to be taken and completed.
 */
public final class Flights {
    private final Map<Long, CompletableFuture<Void>> landings = new HashMap<>();
    private final Driver driver;
    private final int maxTurns;

    /**
     * Flights with this driver, and with flight numbers of their own.
     *
     * @param driver carries out their steps
     * @param maxTurns how often a caller asks at most; it asks again only if the fetch that it waited for has failed
     */
    public Flights(Driver driver, int maxTurns) {
        this.driver = driver;
        this.maxTurns = maxTurns;
    }

    /**
     * The value that the core answers with, at once or after what must be fetched for it.
     *
     * @param <T> a token or claims
     * @param ask asks the core
     * @param output the value that was fetched, from how the operation has ended, or why there is none; null if the core
     *     is to be asked again
     * @return the value to come; completing it from outside, by cancelling it for one, ends the waiting and nothing else
     */
    public <T> CompletableFuture<T> settle(Supplier<Answer<T>> ask, Function<End, T> output) {
        Caller<T> caller = new Caller<>(ask, output, false);
        caller.run();
        return caller;
    }

    /**
     * As {@link #settle}, for a caller that waits: what needs no more than computing, such as a signature, is done on its
     * own thread.
     *
     * @param <T> a token or claims
     * @param first what the core has answered already
     * @param ask asks the core again
     * @param output the value that was fetched
     * @return the value to come
     */
    public <T> CompletableFuture<T> settle(Answer<T> first, Supplier<Answer<T>> ask, Function<End, T> output) {
        Caller<T> caller = new Caller<>(ask, output, true);
        caller.turn(() -> first);
        return caller;
    }

    private final class Caller<T> extends CompletableFuture<T> implements Runnable {
        private final Supplier<Answer<T>> ask;
        private final Function<End, T> output;
        private final boolean waits;
        private int turns;

        Caller(Supplier<Answer<T>> ask, Function<End, T> output, boolean waits) {
            this.ask = ask;
            this.output = output;
            this.waits = waits;
        }

        @Override
        public void run() {
            turn(ask);
        }

        /** One turn: asks the core, and does as it says. */
        void turn(Supplier<Answer<T>> ask) {
            if (isDone()) {
                return;
            }
            try {
                if (++turns > maxTurns) {
                    throw new IllegalStateException("exceeded " + maxTurns + " attempts; report this");
                }
                Answer<T> answer = ask.get();
                if (answer.status() == Answer.Status.JOIN) {
                    answer = askAndJoin();
                }
                if (answer.value() == null && answer.op() != null) {
                    fly(answer.op(), waits, this::arrived);
                } else if (answer.op() != null) {
                    refresh(answer.op());
                }
                if (answer.value() != null) {
                    complete(answer.value());
                }
            } catch (Throwable failure) {
                completeExceptionally(failure);
            }
        }

        private Answer<T> askAndJoin() {
            synchronized (landings) {
                Answer<T> answer = ask.get();
                if (answer.status() == Answer.Status.JOIN) {
                    landings.computeIfAbsent(answer.flight(), flight -> new CompletableFuture<>())
                            .thenRunAsync(this, Threads::execute)
                            .exceptionally(noThread -> {
                                completeExceptionally(noThread);
                                return null;
                            });
                }
                return answer;
            }
        }

        private void arrived(End end, Throwable failure) {
            try {
                T value = failure == null ? output.apply(end) : null;
                if (failure != null) {
                    completeExceptionally(failure);
                } else if (value != null) {
                    complete(value);
                } else {
                    run();
                }
            } catch (Throwable refused) {
                completeExceptionally(refused);
            }
        }
    }

    /** Drives {@code op} in the background. A failure is remembered by the core, and hurts nobody meanwhile. */
    private void refresh(Operation op) {
        try {
            fly(op, false, (end, failure) -> {});
        } catch (OutOfMemoryError noThread) {
            return; // The flight is given up, so a later caller will be chosen.
        }
    }

    /**
     * Drives {@code op} on a thread of its own, lands its flight however it ends, and then says how it has ended.
     *
     * @param beginsHere whether this thread carries out the first step, which may be the last; it waits for nothing
     */
    private void fly(Operation op, boolean beginsHere, BiConsumer<End, Throwable> arrived) {
        try {
            Map<String, Object> first = beginsHere ? Driver.begin(op) : null;
            Runnable flight = () -> {
                End end = null;
                Throwable failure = null;
                try {
                    end = driver.drive(op, first != null ? first : Driver.begin(op));
                } catch (Throwable caught) {
                    failure = caught;
                }
                land(op);
                arrived.accept(end, failure);
            };
            if (first != null && Driver.isEnd(first)) {
                flight.run();
            } else {
                Threads.execute(flight);
            }
        } catch (Throwable noThread) {
            land(op);
            throw noThread;
        }
    }

    /** Ends {@code op} and wakes those who wait for it. */
    private void land(Operation op) {
        op.cancel();
        CompletableFuture<Void> landing;
        synchronized (landings) {
            landing = landings.remove(op.flight());
        }
        if (landing != null) {
            landing.complete(null);
        }
    }
}
