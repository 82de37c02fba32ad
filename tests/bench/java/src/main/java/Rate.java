import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/** Measures operations per second. */
final class Rate {
    /** The clock is read about once in so many nanoseconds: reading it costs more than the fastest operations. */
    private static final long LOOK_EVERY = 1_000_000;

    private final int threads;
    private final Job.Work work;
    /** Each thread takes a batch of turns at a time. */
    private final AtomicInteger turns = new AtomicInteger();
    private volatile Object result;

    Rate(int threads, Job.Work work) {
        this.threads = threads;
        this.work = work;
    }

    double measure(double seconds) throws Exception {
        if (threads == 1) {
            return run(seconds);
        }
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<Double>> running = new ArrayList<>();
            for (int each = 0; each < threads; each++) {
                running.add(pool.submit(() -> run(seconds)));
            }
            double sum = 0;
            for (Future<Double> rate : running) {
                sum += rate.get();
            }
            return sum;
        } finally {
            pool.shutdownNow();
        }
    }

    private double run(double seconds) throws Exception {
        Object last = null;
        long begin = clock();
        long limit = (long) (seconds * 1e9);
        long done = 0;
        int batch = 16;
        long before = 0;
        while (true) {
            int first = turns.getAndAdd(batch) & Integer.MAX_VALUE;
            for (int each = 0; each < batch; each++) {
                last = work.carryOut(first + each);
            }
            done += batch;
            long now = clock() - begin;
            if (now >= limit) {
                result = last;
                return done * 1e9 / now;
            }
            if (now - before < LOOK_EVERY) {
                batch *= 2;
            }
            before = now;
        }
    }

    /**
     * Nanoseconds since some moment. One thread is measured by the processor time that it gets, which is the same whoever
     * else is on the machine; several are not, for they may wait for each other.
     */
    private long clock() {
        return threads == 1 ? ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() : System.nanoTime();
    }
}
