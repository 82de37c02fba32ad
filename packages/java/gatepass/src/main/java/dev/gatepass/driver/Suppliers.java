package dev.gatepass.driver;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;

/** The functions that supply subject tokens, by the names under which credentials mention them. */
public final class Suppliers {
    /** For drivers of operations that need none. */
    public static final Suppliers NONE = new Suppliers(Map.of());

    private final Map<String, Supplier> byName;

    /**
     * Keeps a copy.
     *
     * @param byName the functions
     */
    public Suppliers(Map<String, Supplier> byName) {
        this.byName = new TreeMap<>(byName);
    }

    /** A function of the user's. */
    @FunctionalInterface
    public interface Supplier {
        /**
         * Gives a subject token.
         *
         * @param audience whom it is for
         * @param tokenType of which type
         * @return the token
         * @throws Exception of any kind
         */
        String supply(String audience, String tokenType) throws Exception;
    }

    /**
     * Carries out {@code supply}.
     *
     * @throws Failure if the function throws
     */
    Map<String, Object> supply(Map<String, Object> step) throws InterruptedException, Failure {
        Supplier supplier = byName.get(step.get("supplier"));
        if (supplier == null) {
            return Reply.failed("not_found", "no supplier of this name is registered; registered are: "
                    + (byName.isEmpty() ? "none" : String.join(", ", byName.keySet())));
        }
        try {
            String token = Limit.hold(step, () -> supplier.supply(
                    (String) step.get("audience"), (String) step.get("token_type")), () -> {});
            return token == null ? Reply.failed("other", "it returned null") : Reply.text(token);
        } catch (TimeoutException late) {
            return Reply.failed("timeout", "it has not returned in time");
        } catch (ExecutionException thrown) {
            throw new Failure(thrown.getCause());
        }
    }

    /** A function has thrown; the cause is what. */
    static final class Failure extends Exception {
        private static final long serialVersionUID = 1L;

        Failure(Throwable thrown) {
            super(thrown);
        }

        /** Of what was thrown only the class: its words may hold a secret. */
        Map<String, Object> reply() {
            return Reply.failed("other", getCause().getClass().getName());
        }
    }
}
