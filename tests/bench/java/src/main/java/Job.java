import java.util.List;
import java.util.Map;

/**
 * What is measured in one go.
 *
 * @param units the names of its figures, as the results call them, and their units
 * @param length how long a round takes
 * @param contenders makes what is needed, when the job's turn has come
 */
record Job(Map<String, String> units, Length length, Preparation contenders) {
    /** A job with one figure. */
    Job(String name, String unit, Preparation contenders) {
        this(Map.of(name, unit), Length.PLAIN, contenders);
    }

    /** How long a round takes. */
    enum Length {
        /** So little that there are ten for each that was asked for. */
        SHORT,
        /** As long as was asked for. */
        PLAIN,
        /** So long that few must do. */
        LONG
    }

    /** Gives those who are compared; what it needs to close is added to {@code last}, to be closed after the job. */
    interface Preparation {
        List<Contender> prepare(List<AutoCloseable> last) throws Exception;
    }

    /**
     * Who is measured.
     *
     * @param peer the library's name, or another word
     * @param library whose version is printed; null if it is none
     * @param measure gives one round's figures
     */
    record Contender(String peer, String library, Measure measure) {}

    /** One round: the figures that the contender has, by their names, after about so many seconds. */
    interface Measure {
        Map<String, Double> measure(double seconds) throws Exception;
    }

    /** Something to do again and again; {@code turn} counts from 0. */
    interface Work {
        /** What comes of it, so that it must be done. */
        Object carryOut(int turn) throws Exception;
    }

    /** Operations per second on one thread. */
    static Contender rate(String job, String peer, String library, Work work) {
        return rate(job, peer, library, 1, work);
    }

    /** Operations per second on so many threads together. */
    static Contender rate(String job, String peer, String library, int threads, Work work) {
        Rate rate = new Rate(threads, work);
        return new Contender(peer, library, seconds -> Map.of(job, rate.measure(seconds)));
    }
}
