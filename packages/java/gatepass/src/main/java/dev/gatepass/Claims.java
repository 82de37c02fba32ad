package dev.gatepass;

import dev.gatepass.json.Json;
import dev.gatepass.json.Utf8;
import java.security.Principal;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * What a verified token says about its sender (RFC 7519, section 4). Read when first asked for, and once; whoever
 * verifies the same token again may get the same object, which cannot be changed.
 */
public final class Claims implements Principal {
    /**
     * The most bytes that remembered claims take, once they are read: of a token in any case, with each member of an
     * object or a list, and with each byte of the payload. ClaimsCostTest measures them.
     */
    static final Map<String, Long> COST = Map.of("token", 400L, "member", 300L, "byte", 4L);

    private final byte[] payload;
    private final boolean unverified;
    private final long entry;
    private volatile Map<String, Object> members;

    Claims(byte[] payload, boolean unverified, long entry) {
        this.payload = payload;
        this.unverified = unverified;
        this.entry = entry;
    }

    /** The number by which the core remembers the token; 0 if it does not. */
    long entry() {
        return entry;
    }

    /**
     * Whether nothing proves these claims: Cloud Run has removed the token's signature, and
     * {@link Verifier.Builder#trustCloudRunAndSkipSignature()} takes its word for it.
     *
     * @return false for a token with a valid signature, which is any other
     */
    public boolean isUnverified() {
        return unverified;
    }

    /**
     * Who has issued the token: {@code iss}.
     *
     * @return the issuer
     */
    public String issuer() {
        return (String) get("iss");
    }

    /**
     * Whom the token is about: {@code sub}, the identifier that the issuer never gives to anybody else.
     *
     * @return the subject
     */
    public String subject() {
        return (String) get("sub");
    }

    /**
     * Whom the token is for: {@code aud}.
     *
     * @return one audience, or several
     */
    public List<String> audiences() {
        return get("aud") instanceof List<?> several
                ? several.stream().map(String.class::cast).toList()
                : List.of((String) get("aud"));
    }

    /**
     * When the token was issued: {@code iat}.
     *
     * @return a moment
     */
    public Instant issuedAt() {
        return moment("iat");
    }

    /**
     * When the token ends: {@code exp}.
     *
     * @return a moment
     */
    public Instant expiresAt() {
        return moment("exp");
    }

    /**
     * The sender's e-mail address: {@code email}.
     *
     * @return the address; null if the token has none
     */
    public String email() {
        return get("email") instanceof String email ? email : null;
    }

    /**
     * Whether the issuer vouches for the e-mail address: {@code email_verified}.
     *
     * @return true if the token says so
     */
    public boolean emailVerified() {
        return Boolean.TRUE.equals(get("email_verified"));
    }

    /**
     * Any claim.
     *
     * @param name the claim's name
     * @return a {@link String}, {@link Boolean}, {@link Long}, {@link Double}, {@link List} or {@link Map}; null if the
     *     token does not have the claim
     */
    public Object get(String name) {
        return asMap().get(name);
    }

    /**
     * All claims.
     *
     * @return a map that cannot be changed; its values are as {@link #get} says
     */
    public Map<String, Object> asMap() {
        Map<String, Object> read = members;
        if (read == null) {
            read = Json.readMembers(payload);
            members = read; // If two threads come here at once, both read the same.
        }
        return read;
    }

    /**
     * The token's payload as it was signed, for a JSON library of your own.
     *
     * @return a JSON object
     */
    public String toJson() {
        return Utf8.text(payload);
    }

    /**
     * The principal's name.
     *
     * @return the {@link #subject()}: an e-mail address may be given to somebody else one day
     */
    @Override
    public String getName() {
        return subject();
    }

    /**
     * Shows which claims there are, and none of them; and whether nothing proves them.
     *
     * @return the claims' names
     */
    @Override
    public String toString() {
        return (unverified ? "Claims (unverified) " : "Claims ") + asMap().keySet();
    }

    /** Seconds since the epoch, perhaps with a fraction; the core has checked type and range. */
    private Instant moment(String name) {
        return Instant.ofEpochMilli((long) (((Number) get(name)).doubleValue() * 1000));
    }
}
