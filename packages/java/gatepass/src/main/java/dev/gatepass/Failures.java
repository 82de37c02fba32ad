package dev.gatepass;

import dev.gatepass.driver.End;
import java.util.Map;

/** Exceptions, from errors as the core writes them. */
final class Failures {
    private Failures() {}

    /** The exception of the error's kind. */
    static GatepassException of(Map<String, Object> error) {
        return switch ((String) error.get("kind")) {
            case "credentials" -> new CredentialsException(error);
            case "transport" -> new TransportException(error);
            case "verify" -> new VerifyException(error);
            default -> new GatepassException(error);
        };
    }

    /** What an operation was driven for, as the core writes it. */
    @SuppressWarnings("unchecked")
    static Map<String, Object> output(End end) {
        if (end.step().get("step").equals("done")) {
            return (Map<String, Object>) end.step().get("output");
        }
        GatepassException failure = of((Map<String, Object>) end.step().get("error"));
        failure.initCause(end.supplierFailure());
        throw failure;
    }
}
