import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/** Measures operations per second. */
final class Rate {
    /** The clock is read once for so many operations: reading it costs as much as the fastest of them. */
    private static final int BATCH = 16;

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
        long begin = System.nanoTime();
        long end = begin + (long) (seconds * 1e9);
        long now = begin;
        long done = 0;
        for (; now < end; now = System.nanoTime()) {
            int first = turns.getAndAdd(BATCH) & Integer.MAX_VALUE;
            for (int each = 0; each < BATCH; each++) {
                last = work.carryOut(first + each);
            }
            done += BATCH;
        }
        result = last;
        return done * 1e9 / (now - begin);
    }
}
