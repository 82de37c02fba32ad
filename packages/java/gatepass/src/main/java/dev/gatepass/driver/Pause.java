package dev.gatepass.driver;

/** How time is let pass; tests have none to lose. */
@FunctionalInterface
public interface Pause {
    /**
     * Waits.
     *
     * @param millis how long
     * @throws InterruptedException if the thread is interrupted
     */
    void sleep(long millis) throws InterruptedException;
}
