package dev.gatepass;

import java.util.Map;

/** The credentials cannot be found, read or used. */
public final class CredentialsException extends GatepassException {
    private static final long serialVersionUID = 1L;

    CredentialsException(Map<String, Object> error) {
        super(error);
    }
}
