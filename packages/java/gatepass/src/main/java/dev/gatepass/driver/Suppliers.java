package dev.gatepass;

import java.util.Map;
import java.util.TreeMap;

/** The functions that supply subject tokens, by the names under which credentials speak of them. */
final class Suppliers {
    private final Map<String, SubjectTokenSupplier> byName;

    Suppliers(Map<String, SubjectTokenSupplier> byName) {
        this.byName = new TreeMap<>(byName);
    }

    /**
     * Carries out {@code supply}.
     *
     * @throws Failure if the function throws
     */
    Map<String, Object> supply(Map<String, Object> step) throws InterruptedException, Failure {
        SubjectTokenSupplier supplier = byName.get(step.get("supplier"));
        if (supplier == null) {
            return Reply.failed("not_found", "no supplier of this name is registered; registered are: "
                    + (byName.isEmpty() ? "none" : String.join(", ", byName.keySet())));
        }
        try {
            String token = supplier.subjectToken(
                    new SubjectTokenRequest((String) step.get("audience"), (String) step.get("token_type")));
            return token == null ? Reply.failed("other", "it returned null") : Reply.text(token);
        } catch (InterruptedException interrupted) {
            throw interrupted;
        } catch (Exception thrown) {
            throw new Failure(thrown);
        }
    }

    /** A function has thrown; the cause is what. */
    static final class Failure extends Exception {
        private static final long serialVersionUID = 1L;

        Failure(Exception thrown) {
            super(thrown);
        }

        /** Of what was thrown only the class: its words may hold a secret. */
        Map<String, Object> reply() {
            return Reply.failed("other", getCause().getClass().getName());
        }
    }
}
