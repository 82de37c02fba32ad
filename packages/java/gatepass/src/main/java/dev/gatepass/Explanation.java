package dev.gatepass;

import dev.gatepass.json.Json;
import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a token is, and all that is wrong with it. It does not show the token, and of its claims, which nothing may
 * prove, only these.
 *
 * @param accepted whether the receiver accepts the token as it is; null where something that decides it is not
 *     known: the keys, the audience or the issuer
 * @param kind what the token is, such as {@code google_id_token} or {@code access_token}
 * @param issuer {@code iss}; null if the token has none
 * @param audiences {@code aud}; empty if the token has none
 * @param email {@code email}; null if the token has none
 * @param issuedAt {@code iat}; null if the token has none
 * @param expiresAt {@code exp}; null if the token has none
 * @param findings what was found: first what surrounds the token, then why it is refused, in the order of a verifier's
 *     checks, then the rest
 * @param text all of it together, for people
 */
public record Explanation(
        Boolean accepted,
        String kind,
        String issuer,
        List<String> audiences,
        String email,
        Instant issuedAt,
        Instant expiresAt,
        List<Finding> findings,
        String text) {
    /**
     * Keeps copies of the lists that cannot be changed.
     *
     * @param accepted whether the receiver accepts the token; null if that is not known
     * @param kind what the token is
     * @param issuer {@code iss}, or null
     * @param audiences {@code aud}
     * @param email {@code email}, or null
     * @param issuedAt {@code iat}, or null
     * @param expiresAt {@code exp}, or null
     * @param findings what was found
     * @param text all of it together, for people
     */
    public Explanation {
        audiences = List.copyOf(audiences);
        findings = List.copyOf(findings);
    }

    /**
     * One thing that was found.
     *
     * @param level how grave it is
     * @param code the refusal that it leads to; null where it leads to none by itself
     * @param cause what caused it, a stable name such as {@code email_missing}; null where that is not known
     * @param title what it means
     * @param found what was found, and what was expected
     * @param todo what to change
     */
    public record Finding(Level level, ErrorCode code, String cause, String title, String found, String todo) {}

    /** How grave a finding is. */
    public enum Level {
        /** The token is refused for it. */
        ERROR,
        /** The token may be refused for it by another receiver. */
        WARNING,
        /** Good to know. */
        NOTE
    }

    /**
     * Shows all of it, for people.
     *
     * @return {@link #text()}, several lines
     */
    @Override
    public String toString() {
        return text;
    }

    /** Where a token was seen, as the core reads it; what is null is not known. */
    static Map<String, Object> place(URI url, String header) {
        Map<String, Object> place = Json.members();
        place.put("url", url == null ? null : url.toString());
        place.put("header", header);
        return place;
    }

    /** Reads what the core has written. */
    static Explanation of(byte[] json) {
        Map<String, Object> all = Json.readMembers(json);
        Map<?, ?> claims = (Map<?, ?>) all.get("claims");
        return new Explanation(
                (Boolean) all.get("accepted"),
                (String) all.get("kind"),
                (String) claims.get("iss"),
                Json.texts(claims.get("aud")),
                (String) claims.get("email"),
                moment(claims.get("iat")),
                moment(claims.get("exp")),
                ((List<?>) all.get("findings")).stream().map(Explanation::finding).toList(),
                (String) all.get("text"));
    }

    private static Finding finding(Object json) {
        Map<?, ?> finding = (Map<?, ?>) json;
        String code = (String) finding.get("code");
        return new Finding(
                Level.valueOf(((String) finding.get("level")).toUpperCase(Locale.ROOT)),
                code == null ? null : ErrorCode.valueOf(code),
                (String) finding.get("cause"),
                (String) finding.get("title"),
                (String) finding.get("found"),
                (String) finding.get("todo"));
    }

    private static Instant moment(Object seconds) {
        return seconds == null ? null : Instant.ofEpochSecond((Long) seconds);
    }
}
