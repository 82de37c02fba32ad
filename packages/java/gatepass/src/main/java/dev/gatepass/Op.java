package dev.gatepass;

import dev.gatepass.driver.Operation;
import dev.gatepass.json.Json;
import java.util.Map;
import java.util.concurrent.CancellationException;

/** An operation on the other side of the border. */
final class Op implements Operation {
    private final Time time;
    private final long flight;
    private long handle;

    Op(long handle, long flight, Time time) {
        this.handle = handle;
        this.flight = flight;
        this.time = time;
    }

    @Override
    public long flight() {
        return flight;
    }

    @Override
    public Map<String, Object> resume(Map<String, Object> reply) {
        return resume(time.nowMs(), time.monotonicMs(), reply);
    }

    /** As the other, at this moment. */
    synchronized Map<String, Object> resume(long nowMs, long monotonicMs, Map<String, Object> reply) {
        if (handle == 0) {
            throw new CancellationException("the operation was cancelled");
        }
        return Json.readMembers(Native.resume(handle, nowMs, monotonicMs, Json.write(reply)));
    }

    /** The verifier that this operation has made: its handle, once. */
    synchronized long verifier() {
        return Native.opVerifier(handle);
    }

    @Override
    public synchronized void cancel() {
        long ended = handle;
        handle = 0;
        Native.cancel(ended);
    }
}
