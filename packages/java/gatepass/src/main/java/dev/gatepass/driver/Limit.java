package dev.gatepass.driver;

import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The time that a step may take, and what ends the work when it is over. */
final class Limit {
    private Limit() {}

    /**
     * Does {@code work} on a thread of its own, which is interrupted when the step's time is over. {@code end} closes
     * what it holds, and is called in any case.
     */
    static <T> T hold(Map<String, Object> step, Callable<T> work, Runnable end)
            throws InterruptedException, TimeoutException, ExecutionException {
        Future<T> running = Threads.submit(work);
        try {
            return running.get((long) step.get("timeout_ms"), TimeUnit.MILLISECONDS);
        } finally {
            running.cancel(true);
            end.run();
        }
    }
}
