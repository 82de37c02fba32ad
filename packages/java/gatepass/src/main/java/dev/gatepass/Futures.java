package dev.gatepass;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

/** What {@link CompletableFuture} lacks: waiting that can be interrupted, and cancelling that reaches back. */
final class Futures {
    private Futures() {}

    /**
     * Waits for a value.
     *
     * @throws CancellationException if the thread is interrupted, which it still is afterwards
     */
    static <T> T await(CompletableFuture<T> future) {
        try {
            return get(future);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw (CancellationException) new CancellationException("interrupted while waiting").initCause(interrupted);
        }
    }

    /** Waits for a value; an interruption gives up what it waits for. */
    static <T> T get(CompletableFuture<T> future) throws InterruptedException {
        try {
            return future.get();
        } catch (InterruptedException interrupted) {
            future.cancel(true);
            throw interrupted;
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof GatepassException failure) {
                failure.fillInStackTrace(); // Of this caller, and not of the thread that fetched.
                throw failure;
            }
            throw new IllegalStateException(failed.getCause());
        }
    }

    /** As {@link CompletableFuture#thenApply}, but completing the result from outside cancels what it is made of. */
    static <A, B> CompletableFuture<B> map(CompletableFuture<A> first, Function<A, B> change) {
        return chain(first, value -> CompletableFuture.completedFuture(change.apply(value)));
    }

    /** As {@link CompletableFuture#thenCompose}, but completing the result from outside cancels both parts. */
    static <A, B> CompletableFuture<B> chain(CompletableFuture<A> first, Function<A, CompletableFuture<B>> next) {
        AtomicReference<CompletableFuture<B>> second = new AtomicReference<>();
        CompletableFuture<B> chained = first.thenCompose(value -> {
            second.set(next.apply(value));
            return second.get();
        });
        chained.whenComplete((value, failure) -> {
            first.cancel(true);
            if (second.get() != null) {
                second.get().cancel(true);
            }
        });
        return chained;
    }
}
