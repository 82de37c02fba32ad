package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatepass.testing.Emulator;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Ages are measured by two clocks: whichever says first that a time is over is believed. */
class TimeTest {
    private static final String AUDIENCE = "https://orders.example";
    private static final String ACCOUNT = "caller@project.iam.gserviceaccount.com";

    private final Emulator emulator = Emulators.fresh();
    private final HandClock wall = HandClock.stopped();
    private final AtomicLong monotonicMs = new AtomicLong(5);
    private final Time time = new Time(wall, monotonicMs::get, delay -> {});

    private TokenSource source;

    @BeforeEach
    void makeSource() {
        source = emulator.account(ACCOUNT).time(time).build();
    }

    @Test
    void aWallClockThatIsSetBackKeepsNoTokenAlive() {
        source.fetchIdToken(AUDIENCE);
        wall.advance(Duration.ofHours(-10));
        pass(Duration.ofMinutes(59));
        untilFetched(2);
    }

    @Test
    void aMachineThatWasSuspendedHasATokenFetched() {
        source.fetchIdToken(AUDIENCE);
        wall.advance(Duration.ofHours(2)); // The other clock stood still.
        emulator.setClockOffset(Duration.ofHours(2));
        source.fetchIdToken(AUDIENCE);
        assertEquals(2, emulator.requests("/token"));
    }

    @Test
    void withinTheLifeOfATokenNothingIsAsked() {
        String token = source.fetchIdToken(AUDIENCE);
        wall.advance(Duration.ofMinutes(10));
        pass(Duration.ofMinutes(10));
        assertEquals(token, source.fetchIdToken(AUDIENCE));
        assertEquals(1, emulator.requests("/token"));
    }

    /** With a wall clock that was set back by ten hours, keys are rotated, and the new ones are asked for all the same. */
    @Test
    void keysAreAskedForAgain() {
        Verifier verifier = Verifier.builder().audience(AUDIENCE).keysUrl(emulator.keysUrl()).time(time).build();
        verifier.verify(mint());
        wall.advance(Duration.ofSeconds(-20));
        pass(Duration.ofMinutes(10));
        emulator.rotateKeys();
        assertEquals(List.of(AUDIENCE), verifier.verify(mint()).audiences());
        assertEquals(2, emulator.requests(Emulators.KEYS));
    }

    private String mint() {
        Map<String, Object> claims = new HashMap<>(Map.of("aud", AUDIENCE));
        return emulator.mint(Map.of("claims", claims));
    }

    private void pass(Duration duration) {
        monotonicMs.addAndGet(duration.toMillis());
    }

    /** A token that is still usable is refreshed in the background; JUnit's timeout bounds this. */
    private void untilFetched(long times) {
        while (emulator.requests("/token") < times) {
            source.fetchIdToken(AUDIENCE);
            Thread.onSpinWait();
        }
    }
}
