import java.util.List;

/**
 * What is measured.
 *
 * @param name as the results call it
 * @param unit of the numbers
 * @param contenders makes what is needed, when the job's turn has come
 */
record Job(String name, String unit, Preparation contenders) {
    /** Gives those who are compared; what it needs to close is added to {@code last}, to be closed after the job. */
    interface Preparation {
        List<Contender> prepare(List<AutoCloseable> last) throws Exception;
    }

    /**
     * Who is measured.
     *
     * @param peer the library's name, or another word
     * @param library whose version is printed; null if it is none
     * @param measure gives one round's number, after about so many seconds
     */
    record Contender(String peer, String library, Measure measure) {}

    /** One round. */
    interface Measure {
        double measure(double seconds) throws Exception;
    }

    /** Something to do again and again; {@code turn} counts from 0. */
    interface Work {
        /** What comes of it, so that it must be done. */
        Object carryOut(int turn) throws Exception;
    }

    /** Operations per second on one thread. */
    static Measure rate(Work work) {
        return rate(1, work);
    }

    /** Operations per second on so many threads together. */
    static Measure rate(int threads, Work work) {
        return new Rate(threads, work);
    }
}
