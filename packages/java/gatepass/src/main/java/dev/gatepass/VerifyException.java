package dev.gatepass;

import java.util.Map;

/** A received token is refused. */
public final class VerifyException extends GatepassException {
    private static final long serialVersionUID = 1L;

    VerifyException(Map<String, Object> error) {
        super(error);
    }
}
