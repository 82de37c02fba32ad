package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatepass.driver.Answer;
import dev.gatepass.testing.Emulator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Nothing that may end in a log shows a token, a key or a claim. */
class ToStringTest {
    private static final String AUDIENCE = "https://orders.example";
    private static final String EMAIL = "caller@project.iam.gserviceaccount.com";

    @Test
    void nothingIsShown() {
        Emulator emulator = Emulators.fresh();
        TokenSource.Builder sourceOptions = emulator.account(EMAIL);
        TokenSource source = sourceOptions.build();
        String token = source.fetchIdToken(AUDIENCE);
        Verifier.Builder verifierOptions = Verifier.builder().google().audience(AUDIENCE).keysUrl(emulator.keysUrl());
        Verifier verifier = verifierOptions.build();
        Claims claims = verifier.verify(token);
        Answer<Token> answer = source.lookup("id_token", AUDIENCE, Time.SYSTEM.nowMs(), Time.SYSTEM.monotonicMs());
        List<Object> all = List.of(
                sourceOptions, source, source.fetchIdTokenAsync(AUDIENCE), answer, answer.value(),
                verifierOptions, verifier, verifier.verifyAsync(token), claims,
                IdTokenClient.builder().source(source), IdTokenClient.builder().source(source).build(),
                AccessTokenClient.builder().source(source), AccessTokenClient.builder().source(source).build());
        for (Object each : all) {
            String shown = each.toString();
            assertFalse(shown.contains(token.substring(0, 20)), shown);
            assertFalse(shown.contains(token.substring(token.length() - 20)), shown);
            assertFalse(shown.contains("PRIVATE KEY"), shown);
            assertFalse(shown.contains(EMAIL), shown);
        }
        assertTrue(claims.toString().contains("email"), "the names of the claims are no secret");
    }

    @Test
    void errorsShowTheCodeAndNoToken() {
        String token = Emulators.fresh().mint(Map.of("claims", Map.of("aud", "https://other.example", "email", EMAIL)));
        Verifier verifier = Verifier.builder().google().audience(AUDIENCE).keysUrl(Emulators.fresh().keysUrl()).build();
        try {
            verifier.verify(token);
        } catch (VerifyException refused) {
            String shown = refused.toString();
            assertTrue(shown.startsWith("dev.gatepass.VerifyException: BAD_AUDIENCE: "), shown);
            assertFalse(refused.toString().contains(token.substring(0, 20)), refused::toString);
            assertFalse(refused.toString().contains(EMAIL), refused::toString);
            return;
        }
        throw new AssertionError("accepted");
    }
}
