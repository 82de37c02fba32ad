package dev.gatepass.driver;

import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The threads of flights and steps: as many as there is work, and soon none when there is none. */
final class Threads {
    /** While a thread lives, an application that brings gatepass along cannot be unloaded. */
    private static final int IDLE_SECONDS = 2;

    private static final ThreadPoolExecutor POOL = new ThreadPoolExecutor(
            0, Integer.MAX_VALUE, IDLE_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), Threads::daemon);

    private Threads() {}

    static void execute(Runnable work) {
        POOL.execute(work);
    }

    static <T> Future<T> submit(Callable<T> work) {
        return POOL.submit(work);
    }

    private static Thread daemon(Runnable work) {
        Thread thread = new Thread(work, "gatepass");
        thread.setDaemon(true); // A program may end while a token is being refreshed.
        // Not the caller's: in a container that would keep its application from being unloaded.
        thread.setContextClassLoader(Threads.class.getClassLoader());
        return thread;
    }
}
