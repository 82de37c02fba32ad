package dev.gatepass.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatepass.Claims;
import dev.gatepass.ErrorCode;
import dev.gatepass.Verifier;
import dev.gatepass.VerifyException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokens of a real OpenID Connect issuer, whose keys gatepass finds by its discovery document. */
class OpenIdConnectTest {
    private static final String AUDIENCE = "https://orders.example";
    private static final String EMAIL = "person@issuer.example";

    private static final OidcProvider PROVIDER = new OidcProvider();

    @AfterAll
    static void stop() {
        PROVIDER.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"RS256", "PS256", "ES256", "EdDSA"})
    void tokensAreAccepted(String algorithm) {
        Verifier verifier = receiver(PROVIDER.issuer()).allowedEmails(EMAIL).build();
        Claims claims = verifier.verify(PROVIDER.token(AUDIENCE, algorithm));
        assertEquals(PROVIDER.issuer(), claims.issuer());
        assertEquals(List.of(AUDIENCE), claims.audiences());
        assertEquals("person", claims.subject());
        assertEquals(EMAIL, claims.email());
        assertTrue(claims.emailVerified());
    }

    @Test
    void tokensForAnotherAudienceAreRefused() {
        assertRefused(ErrorCode.BAD_AUDIENCE, receiver(PROVIDER.issuer()).build(),
                PROVIDER.token("https://other.example", "RS256"));
    }

    @Test
    void tokensOfAnotherIssuerAreRefused() {
        String token = PROVIDER.token(AUDIENCE, "RS256");
        try (OidcProvider another = new OidcProvider()) {
            assertRefused(ErrorCode.UNKNOWN_KEY, receiver(another.issuer()).build(), token);
            Verifier deceived = Verifier.builder().issuers(another.issuer()).algorithms("RS256").audience(AUDIENCE)
                    .keysUrl(URI.create(PROVIDER.issuer() + "/jwks")).build();
            assertRefused(ErrorCode.BAD_ISSUER, deceived, token);
        }
    }

    @Test
    void newKeysAreFetched() {
        AtomicReference<Duration> later = new AtomicReference<>(Duration.ZERO);
        InstantSource time = () -> Instant.now().plus(later.get());
        Verifier verifier = receiver(PROVIDER.issuer()).clock(time.withZone(ZoneOffset.UTC)).build();
        String before = PROVIDER.token(AUDIENCE, "ES256");
        verifier.verify(before);
        PROVIDER.rotate();
        // Key ids that strangers make up must not have it ask again and again: it waits before it does.
        later.set(Duration.ofMinutes(10));
        assertEquals(EMAIL, verifier.verify(PROVIDER.token(AUDIENCE, "ES256")).email());
        assertEquals(EMAIL, verifier.verify(PROVIDER.token(AUDIENCE, "RS256")).email());
        assertRefused(ErrorCode.UNKNOWN_KEY, verifier, before);
    }

    private static Verifier.Builder receiver(String issuer) {
        return Verifier.builder().oidc(issuer).audience(AUDIENCE);
    }

    private static void assertRefused(ErrorCode code, Verifier verifier, String token) {
        VerifyException refused = assertThrows(VerifyException.class, () -> verifier.verify(token));
        assertEquals(code, refused.code(), refused::toString);
    }
}
