package dev.gatepass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatepass.json.Json;
import dev.gatepass.json.Utf8;
import dev.gatepass.testing.Emulator;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What users and networks get wrong: each gives one error that says what to do, and no secret. */
class BadInputTest {
    private static final String AUDIENCE = "https://orders.example";
    private static final String ACCOUNT = "caller@project.iam.gserviceaccount.com";

    @TempDir
    private Path folder;

    private Emulator emulator;

    @BeforeEach
    void start() {
        emulator = Emulators.fresh();
    }

    @Test
    void aCredentialFileThatIsMissing() {
        Path file = folder.resolve("nowhere.json");
        assertError(ErrorCode.CREDENTIALS_FILE_UNREADABLE,
                TokenSource.builder().credentialsFile(file), file.toString());
    }

    @Test
    void aCredentialFileThatIsAFolder() {
        assertError(ErrorCode.CREDENTIALS_FILE_UNREADABLE,
                TokenSource.builder().credentialsFile(folder), folder.toString());
    }

    @Test
    void aCredentialFileThatIsTooLarge() throws IOException {
        Path file = Files.write(folder.resolve("large.json"), new byte[1024 * 1024 + 1]);
        GatepassException error = failure(TokenSource.builder().credentialsFile(file));
        assertInstanceOf(CredentialsException.class, error);
        assertTrue(error.getMessage().contains(file.toString()), error::getMessage);
    }

    @Test
    void aCredentialFileThatIsNoJson() throws IOException {
        Path file = Files.writeString(folder.resolve("key.json"), "hush, this is no JSON");
        assertError(ErrorCode.CREDENTIALS_FILE_INVALID, TokenSource.builder().credentialsFile(file), file.toString());
    }

    @Test
    void aCredentialFileOfAnUnknownType() throws IOException {
        Path file = Files.writeString(folder.resolve("key.json"), "{\"type\":\"from_mars\",\"private_key\":\"hush\"}");
        assertError(ErrorCode.CREDENTIALS_TYPE_UNKNOWN,
                TokenSource.builder().credentialsFile(file), file.toString(), "from_mars");
    }

    @ParameterizedTest
    @ValueSource(strings = {"client_email", "private_key"})
    void aCredentialFileThatLacksAField(String field) throws IOException {
        Map<String, Object> key = new HashMap<>(Json.readMembers(Utf8.bytes(emulator.credentialFile("--email", ACCOUNT))));
        key.remove(field);
        Path file = Files.write(folder.resolve("key.json"), Json.write(key));
        assertError(ErrorCode.CREDENTIALS_FILE_INVALID,
                TokenSource.builder().credentialsFile(file), file.toString(), field);
    }

    @Test
    void aTokenEndpointThatNobodyTrusts() {
        assertError(ErrorCode.ENDPOINT_NOT_ALLOWED,
                TokenSource.builder().credentialsJson(emulator.credentialFile("--email", ACCOUNT)), "token_uri");
    }

    @Test
    void anAccountToImpersonateThatIsNone() {
        TokenSource.Builder builder = emulator.account(ACCOUNT).impersonate("no e-mail", "first@example.com");
        GatepassException error = assertThrows(GatepassException.class, () -> builder.build().fetchIdToken(AUDIENCE));
        assertEquals(ErrorCode.INVALID_OPTION, error.code(), error::toString);
        assertTrue(error.getMessage().contains("impersonate"), error::getMessage);
    }

    @Test
    void fileAndJsonAtOnce() {
        GatepassException error = assertThrows(GatepassException.class,
                () -> TokenSource.builder().credentialsFile(folder).credentialsJson("{\"hush\":1}").build());
        assertEquals(ErrorCode.INVALID_OPTION, error.code());
        assertFalse(error.toString().contains("hush"), error::toString);
    }

    @Test
    void noCredentialsAnywhere() {
        Map<String, String> environment = Map.of("HOME", folder.toString(), "NO_GCE_CHECK", "true");
        assertError(ErrorCode.CREDENTIALS_NOT_FOUND, TokenSource.builder().environment(environment::get),
                "GOOGLE_APPLICATION_CREDENTIALS", folder.toString(), "NO_GCE_CHECK");
    }

    @Test
    void aMetadataServerThatIsAway() throws IOException {
        String nobody = hostAndPortOfNobody();
        TokenSource.Builder builder = TokenSource.builder()
                .environment(Map.of("GCE_METADATA_HOST", nobody)::get)
                .time(HandClock.hasty().time());
        GatepassException error = failure(builder);
        assertEquals(ErrorCode.CONNECTION_FAILED, error.code(), error::toString);
        assertTrue(error.retryable());
        assertTrue(error.getMessage().contains(nobody), error::getMessage);
    }

    @Test
    void aTokenEndpointThatAnswersNonsense() {
        assertRecovers(ErrorCode.TOKEN_RESPONSE_INVALID, Map.of(
                "status", 200, "headers", Map.of("Content-Type", "text/html"), "body", "<html>hush</html>"));
    }

    @Test
    void aTokenEndpointThatAnswersNothing() {
        assertRecovers(ErrorCode.TOKEN_RESPONSE_INVALID, Map.of("status", 200, "body", ""));
    }

    @Test
    void aTokenEndpointThatAnswersTenMegabytes() {
        assertRecovers(ErrorCode.RESPONSE_TOO_LARGE, Map.of("status", 200, "body_bytes", 10_000_000));
    }

    @Test
    void aTokenEndpointThatRedirects() {
        assertRecovers(ErrorCode.REDIRECT_REFUSED, Map.of(
                "status", 307, "headers", Map.of("Location", emulator.keysUrl().toString()), "body", ""));
        assertEquals(0, emulator.requests(Emulators.KEYS));
    }

    @Test
    void aTokenEndpointThatHangsUp() {
        assertRecovers(ErrorCode.CONNECTION_FAILED, Map.of("drop", true));
    }

    /** The fault gives this error, and the next call a token. */
    private void assertRecovers(ErrorCode code, Map<String, Object> fault) {
        Map<String, Object> order = new HashMap<>(fault);
        order.put("path", "/token");
        order.put("times", 4); // As often as the core tries at most.
        TokenSource source = emulator.account(ACCOUNT).time(HandClock.hasty().time()).build();
        emulator.fault(order);
        GatepassException error = assertThrows(GatepassException.class, () -> source.fetchIdToken(AUDIENCE));
        assertEquals(code, error.code(), error::toString);
        assertFalse(error.toString().contains("hush"), error::toString);
        Emulators.fresh();
        assertFalse(source.fetchIdToken(AUDIENCE).isEmpty());
    }

    private static void assertError(ErrorCode code, TokenSource.Builder builder, String... named) {
        GatepassException error = failure(builder);
        assertEquals(code, error.code(), error::toString);
        assertInstanceOf(CredentialsException.class, error);
        assertFalse(error.retryable());
        for (String name : named) {
            assertTrue(error.getMessage().contains(name), () -> name + " in " + error.getMessage());
        }
        assertFalse(error.toString().contains("hush"), error::toString);
        assertFalse(error.toString().contains("PRIVATE KEY"), error::toString);
    }

    private static GatepassException failure(TokenSource.Builder builder) {
        TokenSource source = builder.build();
        return assertThrows(GatepassException.class, () -> source.fetchIdToken(AUDIENCE));
    }

    /** A port that was free a moment ago. */
    static String hostAndPortOfNobody() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return "127.0.0.1:" + socket.getLocalPort();
        }
    }
}
