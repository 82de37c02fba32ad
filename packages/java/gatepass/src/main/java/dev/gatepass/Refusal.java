package dev.gatepass;

import java.io.Serializable;
import java.util.Map;

/**
 * How a receiving service answers a request that it refuses: 401 for a missing or invalid token, 403 for a caller who
 * is not on the list, 503 when the keys cannot be had.
 *
 * @param status the HTTP status
 * @param headers name and value of each header, such as {@code WWW-Authenticate} or {@code Retry-After}
 * @param body a JSON object with the error's code; the message stays with the service
 */
public record Refusal(int status, Map<String, String> headers, String body) implements Serializable {
    /**
     * Keeps a copy of the headers that cannot be changed.
     *
     * @param status the HTTP status
     * @param headers name and value of each header
     * @param body a JSON object
     */
    public Refusal {
        headers = Map.copyOf(headers);
    }
}
