package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatepass.driver.Answer;
import dev.gatepass.json.Utf8;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The border holds, whatever is handed across it. */
class NativeTest {
    @Test
    void aHandleOfNothingIsMisuse() {
        long[] answer = new Numbers().room();
        byte[] some = Utf8.bytes("{}");
        assertMisuse(() -> Native.lookup(0, some, some, 0, 0, answer));
        assertMisuse(() -> Native.accessTokenHeaders(0));
        assertMisuse(() -> Native.recall(0, some, 0, 0));
        assertMisuse(() -> Native.check(0, some, 0, 0, 0, answer));
        assertMisuse(() -> Native.explainTo(0, some, some, 0));
        assertMisuse(() -> Native.tokenFromHeaders(0, some, some, some));
        assertMisuse(() -> Native.resume(0, 0, 0, some));
        Native.cancel(0);
        Native.freeSource(0);
        Native.freeVerifier(0);
        Native.freeKeys(0);
    }

    @Test
    void anArrayThatIsNullIsMisuse() {
        byte[] kind = Utf8.bytes("id_token");
        byte[] target = Utf8.bytes("https://a");
        long source = Native.newSource(Utf8.bytes("{\"seed\":1}"));
        assertMisuse(() -> Native.audienceForUrl(null));
        assertMisuse(() -> Native.sameAudienceSpellings(null));
        assertMisuse(() -> Native.explain(null, target, 0));
        assertMisuse(() -> Native.newSource(null));
        assertMisuse(() -> Native.openVerifier(null, 0));
        assertMisuse(() -> Native.openVerifier(Utf8.bytes("{}"), 0));
        assertMisuse(() -> Native.opVerifier(0));
        assertMisuse(() -> Native.lookup(source, null, target, 0, 0, new Numbers().room()));
        assertMisuse(() -> Native.lookup(source, kind, null, 0, 0, new Numbers().room()));
        assertMisuse(() -> Native.lookup(source, kind, target, 0, 0, null));
        Native.freeSource(source);
    }

    @Test
    void anAnswerThatHasNoRoomGivesItsFlightUp() {
        byte[] kind = Utf8.bytes("id_token");
        byte[] target = Utf8.bytes("https://a");
        long source = Native.newSource(Utf8.bytes("{\"seed\":1}"));
        assertMisuse(() -> Native.lookup(source, kind, target, 0, 0, new long[1]));
        Numbers numbers = new Numbers();
        Native.lookup(source, kind, target, 0, 0, numbers.room());
        Answer<Token> answer = numbers.answer(Time.SYSTEM, () -> null);
        assertEquals(Answer.Status.DRIVE, answer.status());
        answer.op().cancel();
        Native.freeSource(source);
    }

    @Test
    void bytesThatAreNoTextAreMisuse() {
        assertMisuse(() -> Native.audienceForUrl(new byte[] {(byte) 0xED, (byte) 0xA0, (byte) 0x80}));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        " ", "plain", "NUL \0 within", "two \u00e9 bytes", "three \u20ac", "four \ud83d\ude80", "\u2028\"\\\n"
    })
    void textCrossesUnchanged(String text) {
        TokenSource source = TokenSource.builder().with("credentials_file", text).build();
        Op op = (Op) source.lookup("id_token", "https://a", 0, 0).op();
        op.resume(0, 0, Map.of("reply", "start"));
        Map<String, Object> step = op.resume(0, 0, Map.of("reply", "env", "values", Map.of()));
        assertEquals("read_file", step.get("step"));
        assertEquals(text, step.get("path"));
        op.cancel();
    }

    private static void assertMisuse(Executable call) {
        GatepassException misuse = assertThrows(GatepassException.class, call);
        assertEquals(ErrorCode.API_MISUSE, misuse.code(), misuse::toString);
    }
}
