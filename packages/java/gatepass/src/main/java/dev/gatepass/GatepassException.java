package dev.gatepass;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What went wrong: for a program in {@link #code()}, for a person in the message, which says what was found, what was
 * expected and what to do. It never holds a token, a key or a claim's secret.
 *
 * <p>This class itself is thrown where gatepass is used in a wrong way; its subclasses say which other part failed.
 */
public class GatepassException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final Pattern OPTION = Pattern.compile("`[a-z]+(_[a-z0-9]+)+`");
    private static final Pattern WORD = Pattern.compile("_([a-z0-9])");

    /** @serial the stable code */
    private final ErrorCode code;
    /** @serial whether the same call may succeed later */
    private final boolean retryable;
    /** @serial the claim, or null */
    private final String claim;
    /** @serial what is wrong with the claim, or null */
    private final Reason reason;
    /** @serial what was found */
    private final List<String> found;
    /** @serial what was expected */
    private final List<String> expected;
    /** @serial the e-mail that the token claims, or null */
    private final String claimedEmail;
    /** @serial how a receiving service answers */
    private final Refusal refusal;
    /** @serial how a gRPC server answers */
    private final GrpcStatus grpcStatus;
    /** @serial how a client's gRPC call ends */
    private final int grpcCallCode;

    /** Takes the error's JSON form apart. */
    GatepassException(Map<String, Object> error) {
        super(spelled((String) error.get("message")));
        code = ErrorCode.valueOf((String) error.get("code"));
        retryable = (Boolean) error.get("retryable");
        claim = (String) error.get("claim");
        reason = error.get("reason") instanceof String name ? Reason.valueOf(name.toUpperCase(Locale.ROOT)) : null;
        found = texts(error.get("found"));
        expected = texts(error.get("expected"));
        claimedEmail = (String) error.get("claimed_email");
        refusal = readRefusal((Map<?, ?>) error.get("refusal"));
        grpcStatus = readGrpcStatus((Map<?, ?>) error.get("grpc"));
        grpcCallCode = ((Long) error.get("grpc_call_code")).intValue();
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
     * What is wrong with the {@link #claim()}, where verification has failed because of one.
     *
     * @return null for any other error
     */
    public final Reason reason() {
        return reason;
    }

    /**
     * What was found in the token, where that says more than the message: its audiences, its issuer. Nothing proves it.
     *
     * @return empty for most errors
     */
    public final List<String> found() {
        return found;
    }

    /**
     * What was expected in place of {@link #found()}.
     *
     * @return empty for most errors
     */
    public final List<String> expected() {
        return expected;
    }

    /**
     * The e-mail address that the refused token claims. Nothing proves it: it is for a log.
     *
     * @return null if the token has none, or the error is about no token
     */
    public final String claimedEmail() {
        return claimedEmail;
    }

    /** What is wrong with a claim. */
    public enum Reason {
        /** The token does not have it. */
        MISSING,
        /** It is not what the verifier expects. */
        MISMATCH,
        /** It is not what the standard allows. */
        INVALID,
        /** It is well, and its bearer is not on the list. */
        NOT_ALLOWED
    }

    /**
     * How a receiving service answers the request whose verification has failed like this.
     *
     * @return an HTTP response for a filter to send unchanged
     */
    public final Refusal refusal() {
        return refusal;
    }

    /**
     * How a gRPC server answers the call whose verification has failed like this.
     *
     * @return a status for an interceptor to send unchanged
     */
    public final GrpcStatus grpcStatus() {
        return grpcStatus;
    }

    /**
     * How a client's gRPC call ends whose token cannot be had because of this: with UNAVAILABLE, which clients repeat, if
     * the same call may succeed later, else with UNAUTHENTICATED.
     *
     * @return the number of the status code
     */
    public final int grpcCallCode() {
        return grpcCallCode;
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

    /** The core names options in backticks, as JSON spells them. */
    private static String spelled(String message) {
        // A Duration says its unit itself.
        return OPTION.matcher(message.replace("`leeway_seconds`", "`leeway`")).replaceAll(option ->
                WORD.matcher(option.group()).replaceAll(word -> word.group(1).toUpperCase(Locale.ROOT)));
    }

    private static List<String> texts(Object value) {
        return value == null ? List.of() : value instanceof String text ? List.of(text)
                : ((List<?>) value).stream().map(String.class::cast).toList();
    }

    private static Refusal readRefusal(Map<?, ?> refusal) {
        LinkedHashMap<String, String> headers = new LinkedHashMap<>();
        for (Object header : (List<?>) refusal.get("headers")) {
            headers.put((String) ((List<?>) header).get(0), (String) ((List<?>) header).get(1));
        }
        return new Refusal(((Long) refusal.get("status")).intValue(), headers, (String) refusal.get("body"));
    }

    private static GrpcStatus readGrpcStatus(Map<?, ?> status) {
        return new GrpcStatus(((Long) status.get("code")).intValue(), (String) status.get("message"),
                (String) status.get("details"));
    }
}
