package dev.gatepass;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * How the callers of one source or one verifier wait. The core says who fetches and who waits for which flight; this
 * class carries that out.
 *
 * <p>Operations run on threads of their own, so interrupting a caller ends its waiting and nothing else. A fetch ends
 * early only with the caller that was chosen for it; those who wait then ask again, and one of them is chosen.
 *
 * <p>Why nobody waits for ever: a landing first has the core forget the flight and then, under the lock, takes the
 * future of those who wait. Who still hears of the flight when asking the core under that lock is before the second
 * step, so the future that it finds, or adds, is yet to be taken and completed.
 */
final class Flights {
    /** A caller waits again only if the fetch that it waited for was given up or failed: never as often as this. */
    private static final int MAX_TURNS = 1_000;

    private static final ExecutorService THREADS = Executors.newCachedThreadPool(Flights::daemon);

    private final Map<Long, CompletableFuture<Void>> landings = new HashMap<>();
    private final Driver driver;

    Flights(Driver driver) {
        this.driver = driver;
    }

    /**
     * The value that the core answers with, at once or after what must be fetched for it.
     *
     * @param ask asks the core
     * @param output the value that is fetched, from what the driver returns; null if the core is to be asked again
     * @return the value to come; completing it from outside, by cancelling it for one, gives its fetch up
     */
    <T> CompletableFuture<T> settle(Supplier<Answer<T>> ask, Function<Map<String, Object>, T> output) {
        Caller<T> caller = new Caller<>(ask, output, false);
        caller.run();
        return caller;
    }

    /**
     * As {@link #settle}, for a caller that waits. What is to be had at once goes through no future, and what needs no more
     * than computing, such as a signature, to no other thread.
     */
    <T> T await(Supplier<Answer<T>> ask, Function<Map<String, Object>, T> output) {
        Answer<T> answer = ask.get();
        if (answer.isReady()) {
            return answer.value();
        }
        Caller<T> caller = new Caller<>(ask, output, true);
        caller.turn(() -> answer);
        return Futures.await(caller);
    }

    private final class Caller<T> extends CompletableFuture<T> implements Runnable {
        private final Supplier<Answer<T>> ask;
        private final Function<Map<String, Object>, T> output;
        private final boolean waits;
        private int turns;

        Caller(Supplier<Answer<T>> ask, Function<Map<String, Object>, T> output, boolean waits) {
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
                if (++turns > MAX_TURNS) {
                    throw new IllegalStateException("gatepass waits in circles");
                }
                Answer<T> answer = ask.get();
                if (answer.status() == Answer.Status.JOIN) {
                    answer = askAndJoin();
                }
                if (answer.value() == null && answer.op() != null) {
                    fetch(answer.op());
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
                            .thenRunAsync(this, THREADS)
                            .exceptionally(noThread -> {
                                completeExceptionally(noThread);
                                return null;
                            });
                }
                return answer;
            }
        }

        private void fetch(Op op) {
            Future<?> flying = fly(op, waits, this::arrived);
            whenComplete((value, failure) -> {
                if (land(op)) {
                    flying.cancel(true);
                }
            });
        }

        private void arrived(Map<String, Object> fetched, Throwable failure) {
            T value = failure == null ? output.apply(fetched) : null;
            if (failure != null) {
                completeExceptionally(failure);
            } else if (value != null) {
                complete(value);
            } else {
                run();
            }
        }
    }

    /** Drives {@code op} behind the callers. A failure is remembered by the core, and hurts nobody meanwhile. */
    private void refresh(Op op) {
        try {
            fly(op, false, (fetched, failure) -> {});
        } catch (RejectedExecutionException | OutOfMemoryError noThread) {
            return; // The flight is given up, so a later caller will be chosen.
        }
    }

    /**
     * Drives {@code op} on a thread of its own, lands its flight however it ends, and then says how it has ended.
     *
     * @param beginsHere whether this thread carries out the first step, which may be the last; it waits for nothing
     */
    private Future<?> fly(Op op, boolean beginsHere, BiConsumer<Map<String, Object>, Throwable> arrived) {
        try {
            Map<String, Object> first = beginsHere ? driver.begin(op) : null;
            Runnable flight = () -> {
                Map<String, Object> fetched = null;
                Throwable failure = null;
                try {
                    fetched = driver.drive(op, first != null ? first : driver.begin(op));
                } catch (Throwable caught) {
                    failure = caught;
                }
                land(op);
                arrived.accept(fetched, failure);
            };
            if (first != null && Driver.isEnd(first)) {
                flight.run();
                return CompletableFuture.completedFuture(null);
            }
            return THREADS.submit(flight);
        } catch (Throwable noThread) {
            land(op);
            throw noThread;
        }
    }

    /** Ends {@code op} and wakes those who wait for it; whether it was still under way. */
    private boolean land(Op op) {
        boolean underWay = op.cancel();
        CompletableFuture<Void> landing;
        synchronized (landings) {
            landing = landings.remove(op.flight());
        }
        if (landing != null) {
            landing.complete(null);
        }
        return underWay;
    }

    /** A thread that keeps neither a program from ending nor an application from being unloaded. */
    static Thread daemon(Runnable work) {
        Thread thread = new Thread(work, "gatepass");
        thread.setDaemon(true); // A program may end while a token is being refreshed.
        // Not the caller's: in a container that would keep an application from being unloaded.
        thread.setContextClassLoader(Flights.class.getClassLoader());
        return thread;
    }
}
