package dev.gatepass;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What went wrong: for a program in {@link #code()}, for a person in the message, which says what was found, what was
 * expected and what to do. It never holds a token, a key or a claim's secret.
 *
 * <p>This class itself is thrown where gatepass is used in a wrong way; its subclasses say which other part failed.
 */
public class GatepassException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @serial the stable code */
    private final ErrorCode code;
    /** @serial whether the same call may succeed later */
    private final boolean retryable;
    /** @serial the claim, or null */
    private final String claim;
    /** @serial how a receiving service answers */
    private final Refusal refusal;

    /** Takes the error's JSON form apart. */
    GatepassException(Map<String, Object> error) {
        super((String) error.get("message"));
        code = ErrorCode.valueOf((String) error.get("code"));
        retryable = (Boolean) error.get("retryable");
        claim = (String) error.get("claim");
        refusal = readRefusal((Map<?, ?>) error.get("refusal"));
    }

    /** The exception of the error's kind. */
    static GatepassException of(Map<String, Object> error) {
        return switch ((String) error.get("kind")) {
            case "credentials" -> new CredentialsException(error);
            case "transport" -> new TransportException(error);
            case "verify" -> new VerifyException(error);
            default -> new GatepassException(error);
        };
    }

    /**
     * The stable code, the same in every language.
     *
     * @return one of a closed list
     */
    public final ErrorCode code() {
        return code;
    }

    /**
     * Whether the same call may succeed later without a change.
     *
     * @return false if something must be corrected first
     */
    public final boolean retryable() {
        return retryable;
    }

    /**
     * The claim or header parameter of the token that the error is about.
     *
     * @return its name; null if the error is about none
     */
    public final String claim() {
        return claim;
    }

    /**
     * How a receiving service answers the request whose verification has failed like this.
     *
     * @return an HTTP response for a filter to send as it stands
     */
    public final Refusal refusal() {
        return refusal;
    }

    /**
     * The class, the code and the message.
     *
     * @return such as {@code dev.gatepass.VerifyException: TOKEN_EXPIRED: …}
     */
    @Override
    public String toString() {
        return getClass().getName() + ": " + code + ": " + getMessage();
    }

    private static Refusal readRefusal(Map<?, ?> refusal) {
        LinkedHashMap<String, String> headers = new LinkedHashMap<>();
        for (Object header : (List<?>) refusal.get("headers")) {
            headers.put((String) ((List<?>) header).get(0), (String) ((List<?>) header).get(1));
        }
        return new Refusal(((Long) refusal.get("status")).intValue(), headers, (String) refusal.get("body"));
    }
}
