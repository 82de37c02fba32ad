package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatepass.Explanation.Finding;
import dev.gatepass.Explanation.Level;
import dev.gatepass.testing.Emulator;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ExplanationTest {
    private static final String AUDIENCE = "https://orders.example";
    private static final String CALLER = "caller@project.iam.gserviceaccount.com";

    private Emulator emulator;
    private String token;

    @BeforeEach
    void start() {
        emulator = Emulators.fresh();
        token = emulator.mint(Map.of("claims", Map.of("aud", AUDIENCE + "/", "email", CALLER)));
    }

    @Test
    void aTokenAlone() {
        Explanation explanation = Gatepass.explain(token);
        assertNull(explanation.accepted(), "nobody has said for whom it should be");
        assertEquals("google_id_token", explanation.kind());
        assertEquals("https://accounts.google.com", explanation.issuer());
        assertEquals(List.of(AUDIENCE + "/"), explanation.audiences());
        assertEquals(CALLER, explanation.email());
        assertEquals(3600, explanation.expiresAt().getEpochSecond() - explanation.issuedAt().getEpochSecond());
        assertEquals(explanation.text(), explanation.toString());
        assertTrue(explanation.text().startsWith("This is a Google ID token."), explanation::text);
    }

    @Test
    void aReceiverSaysWhatItFindsWrong() {
        Verifier verifier = Verifier.builder().google().audience(AUDIENCE).keysUrl(emulator.keysUrl()).build();
        Explanation explanation = verifier.explain("Bearer " + token, URI.create(AUDIENCE), "Authorization");
        assertEquals(false, explanation.accepted());
        Finding refusal = explanation.findings().stream()
                .filter(finding -> finding.code() == ErrorCode.BAD_AUDIENCE).findFirst().orElseThrow();
        assertEquals(Level.ERROR, refusal.level());
        assertEquals("trailing_slash", refusal.cause());
        assertTrue(refusal.found().contains(AUDIENCE), refusal::found);
        assertFalse(refusal.title().isEmpty() || refusal.todo().isEmpty());
        assertFalse(explanation.toString().contains(token.substring(0, 20)), explanation::toString);
    }

    @Test
    void aReceiverKnowsTheKeysThatItHolds() {
        Verifier verifier = Verifier.builder().google().audience(AUDIENCE + "/").keysUrl(emulator.keysUrl()).build();
        assertNull(verifier.explain(token).accepted(), "it holds no keys, and fetches none for this");
        verifier.verify(token);
        assertEquals(true, verifier.explain(token).accepted());
        assertEquals(1, emulator.requests(Emulators.KEYS));
    }

    @Test
    void optionsOfAReceiverThatIsYetToBe() {
        assertEquals(false, Verifier.builder().audience(AUDIENCE).explain(token).accepted());
        assertEquals(false, Verifier.builder().explain(token, URI.create(AUDIENCE + "/path"), null).accepted());
        assertEquals(ErrorCode.INVALID_AUDIENCE, assertThrows(GatepassException.class,
                () -> Verifier.builder().explain(token, URI.create("http://orders.example/"), null)).code());
        assertEquals(ErrorCode.INVALID_OPTION, assertThrows(GatepassException.class,
                () -> Verifier.builder().algorithms("none").explain(token)).code());
    }

    @Test
    void whatIsNoTokenHasNoClaims() {
        for (String nonsense : List.of("", "ya29.access", "a.b.c", "\ud83d\ude80", "\ud800", "\0")) {
            Explanation explanation = Gatepass.explain(nonsense);
            assertEquals(false, explanation.accepted());
            assertNull(explanation.issuer());
            assertEquals(List.of(), explanation.audiences());
            assertNull(explanation.email());
            assertNull(explanation.issuedAt());
            assertNull(explanation.expiresAt());
            assertFalse(explanation.findings().isEmpty());
        }
    }
}
