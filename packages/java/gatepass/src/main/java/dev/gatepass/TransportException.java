package dev.gatepass;

import java.util.Map;

/** An endpoint cannot be reached, or answers nothing useful. */
public final class TransportException extends GatepassException {
    private static final long serialVersionUID = 1L;

    TransportException(Map<String, Object> error) {
        super(error);
    }
}
