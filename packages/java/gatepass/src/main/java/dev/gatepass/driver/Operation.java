package dev.gatepass.driver;

import java.util.Map;
import java.util.concurrent.CancellationException;

/** A resumable operation of the core. Whoever holds one cancels it when it has ended, however it ended. */
public interface Operation {
    /**
     * The flight that others join meanwhile.
     *
     * @return 0 if there is none
     */
    long flight();

    /**
     * Hands over the reply to the last step and takes the next one.
     *
     * @param reply as {@link Reply} makes it
     * @return the step
     * @throws CancellationException if the operation was cancelled
     */
    Map<String, Object> resume(Map<String, Object> reply);

    /** Ends the operation and gives its flight up now. */
    void cancel();
}
