package dev.gatepass;

/** What crossing the border costs by itself. */
public final class EmptyCall {
    private EmptyCall() {}

    /**
     * Cancels no operation, which does nothing.
     *
     * @return nothing
     */
    public static Object call() {
        Native.cancel(0);
        return null;
    }
}
