package dev.gatepass.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatepass.ErrorCode;
import dev.gatepass.TokenSource;
import dev.gatepass.Verifier;
import dev.gatepass.VerifyException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What users' tests use, used. */
@ExtendWith(EmulatorExtension.class)
class EmulatorTest {
    private static final String AUDIENCE = "https://orders.example";
    private static final String ACCOUNT = "shop@project.iam.gserviceaccount.com";
    private static final String IDENTITY = "/computeMetadata/v1/instance/service-accounts/default/identity";

    @Test
    void itGivesTokensAndVerifiesThem(Emulator emulator) {
        Verifier verifier = emulator.verifier().audience(AUDIENCE).build();
        assertEquals("default@emulator.iam.gserviceaccount.com",
                verifier.verify(emulator.tokenSource().build().fetchIdToken(AUDIENCE)).email());
        assertEquals(ACCOUNT, verifier.verify(emulator.account(ACCOUNT).build().fetchIdToken(AUDIENCE)).email());
        assertEquals(1, emulator.requests(IDENTITY));
        assertTrue(emulator.environment().containsKey("GCE_METADATA_HOST"));
        TokenSource source = emulator.account(ACCOUNT).build();
        assertEquals(ACCOUNT, emulator.tokenInfo(source.fetchAccessToken("https://scope.example/a")).get("email"));
    }

    @Test
    void eachTestFindsItReset(Emulator emulator) {
        assertEquals(0, emulator.requests(IDENTITY));
        emulator.fault(Map.of("path", IDENTITY, "status", 404));
        assertThrows(RuntimeException.class, () -> emulator.tokenSource().build().fetchIdToken(AUDIENCE));
        emulator.fault(Map.of("path", IDENTITY, "status", 404));
        emulator.setClockOffset(Duration.ofHours(-1));
        emulator.reset();
        assertTrue(emulator.clock().instant().isAfter(Instant.now().minusSeconds(60)));
        emulator.tokenSource().build().fetchIdToken(AUDIENCE);
    }

    @Test
    void itsClockIsThatOfItsVerifiers(Emulator emulator) {
        Verifier verifier = emulator.verifier().audience(AUDIENCE).build();
        String token = emulator.mint(Map.of("claims", Map.of("aud", AUDIENCE)));
        verifier.verify(token);
        emulator.setClockOffset(Duration.ofHours(2));
        assertEquals(ErrorCode.TOKEN_EXPIRED,
                assertThrows(VerifyException.class, () -> verifier.verify(token)).code());
        verifier.verify(emulator.mint(Map.of("claims", Map.of("aud", AUDIENCE))));
    }

    @Test
    void mistakesAreNamed(Emulator emulator) {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> emulator.mint(Map.of("claims", Map.of())))
                .getMessage().contains("aud"));
        assertTrue(assertThrows(IllegalStateException.class, () -> emulator.run("nonsense"))
                .getMessage().contains("nonsense"));
        assertThrows(UncheckedIOException.class, () -> Emulator.start(Path.of("/nowhere/gatepass")));
    }

    @Test
    void itEndsWhenItIsClosed() {
        Emulator own = Emulator.start("--lifetime", "60");
        assertFalse(own.mint(Map.of("claims", Map.of("aud", AUDIENCE))).isEmpty());
        own.close();
        assertTrue(assertThrows(UncheckedIOException.class, () -> own.requests("/")).getCause()
                instanceof ConnectException);
    }
}
