package dev.gatepass;

import java.util.Map;
import java.util.concurrent.CancellationException;

/** A resumable operation of the core. Whoever holds one cancels it when it has ended, however it ended. */
final class Op {
    private final long flight;
    private long handle;

    Op(long handle, long flight) {
        this.handle = handle;
        this.flight = flight;
    }

    /** The flight that others join meanwhile; 0 if there is none. */
    long flight() {
        return flight;
    }

    /**
     * Hands over the reply to the last step and takes the next one.
     *
     * @throws CancellationException if the operation was cancelled
     */
    synchronized Map<String, Object> resume(long nowMs, Map<String, Object> reply) {
        if (handle == 0) {
            throw new CancellationException("the operation was cancelled");
        }
        return Json.readMembers(Native.resume(handle, nowMs, Json.write(reply)));
    }

    /** Ends the operation and gives its flight up now; whether it was still to be ended. */
    synchronized boolean cancel() {
        long ended = handle;
        handle = 0;
        Native.cancel(ended);
        return ended != 0;
    }
}
