package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The border holds, whatever is handed across it. */
class NativeTest {
    @Test
    void aHandleOfNothingIsMisuse() {
        long[] answer = Answer.numbers();
        byte[] some = Native.octets("{}");
        assertMisuse(() -> Native.lookup(0, some, some, 0, answer));
        assertMisuse(() -> Native.accessTokenHeaders(0));
        assertMisuse(() -> Native.recall(0, some, 0));
        assertMisuse(() -> Native.check(0, some, 0, 0, answer));
        assertMisuse(() -> Native.explainTo(0, some, some, 0));
        assertMisuse(() -> Native.tokenFromHeaders(0, some, some, some));
        assertMisuse(() -> Native.resume(0, 0, some));
        Native.cancel(0);
        Native.freeSource(0);
        Native.freeVerifier(0);
    }

    @Test
    void anArrayThatIsNullIsMisuse() {
        byte[] kind = Native.octets("id_token");
        byte[] target = Native.octets("https://a");
        long source = Native.newSource(Native.octets("{\"seed\":1}"));
        assertMisuse(() -> Native.audienceForUrl(null));
        assertMisuse(() -> Native.sameAudienceSpellings(null));
        assertMisuse(() -> Native.explain(null, target, 0));
        assertMisuse(() -> Native.newSource(null));
        assertMisuse(() -> Native.newVerifier(null));
        assertMisuse(() -> Native.lookup(source, null, target, 0, Answer.numbers()));
        assertMisuse(() -> Native.lookup(source, kind, null, 0, Answer.numbers()));
        assertMisuse(() -> Native.lookup(source, kind, target, 0, null));
        Native.freeSource(source);
    }

    @Test
    void anAnswerThatHasNoRoomGivesItsFlightUp() {
        byte[] kind = Native.octets("id_token");
        byte[] target = Native.octets("https://a");
        long source = Native.newSource(Native.octets("{\"seed\":1}"));
        assertMisuse(() -> Native.lookup(source, kind, target, 0, new long[1]));
        long[] answer = Answer.numbers();
        Native.lookup(source, kind, target, 0, answer);
        assertEquals(Answer.Status.DRIVE, Answer.read(answer, () -> null).status());
        Native.cancel(answer[2]);
        Native.freeSource(source);
    }

    @Test
    void octetsThatAreNoTextAreMisuse() {
        assertMisuse(() -> Native.audienceForUrl(new byte[] {(byte) 0xED, (byte) 0xA0, (byte) 0x80}));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "plain", "NUL \0 within", "two \u00e9 octets", "three \u20ac", "four \ud83d\ude80", "\u2028\"\\\n"
    })
    void textCrossesUnchanged(String text) {
        TokenSource source = TokenSource.builder().with("credentials_file", text).build();
        Op op = source.lookup("id_token", "https://a", 0).op();
        op.resume(0, Map.of("reply", "start"));
        Map<String, Object> step = op.resume(0, Map.of("reply", "env", "values", Map.of()));
        assertEquals(Map.of("step", "read_file", "path", text), step);
        op.cancel();
    }

    private static void assertMisuse(Executable call) {
        GatepassException misuse = assertThrows(GatepassException.class, call);
        assertEquals(ErrorCode.API_MISUSE, misuse.code(), misuse::toString);
    }
}
