package dev.gatepass.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.auth.oauth2.ComputeEngineCredentials;
import com.google.auth.oauth2.IdTokenCredentials;
import com.google.auth.oauth2.IdTokenProvider;
import com.google.auth.oauth2.ServiceAccountCredentials;
import com.google.auth.oauth2.TokenVerifier;
import dev.gatepass.Claims;
import dev.gatepass.Gatepass;
import dev.gatepass.TokenSource;
import dev.gatepass.Verifier;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Google's own library, unmodified, on the one side, and gatepass on the other. */
class GoogleAuthTest {
    private static final String AUDIENCE = "https://orders.example/path?a=1&b=2";
    private static final String ACCOUNT = "caller@project.iam.gserviceaccount.com";

    private static Emulator emulator;

    @BeforeAll
    static void start() throws IOException {
        emulator = new Emulator();
    }

    @AfterAll
    static void stop() throws IOException {
        emulator.close();
    }

    @Test
    void gatepassVerifiesWhatComputeEngineCredentialsFetch() throws Exception {
        Claims claims = verify(emulator.runWithMetadataServer(FetchByMetadataServer.class, AUDIENCE));
        assertEquals(List.of(AUDIENCE), claims.audiences());
        assertEquals("default@emulator.iam.gserviceaccount.com", claims.email());
    }

    @Test
    void gatepassVerifiesWhatServiceAccountCredentialsFetch() throws Exception {
        ServiceAccountCredentials account = ServiceAccountCredentials.fromStream(
                new ByteArrayInputStream(emulator.keyFile(ACCOUNT).getBytes(StandardCharsets.UTF_8)));
        Claims claims = verify(fetch(IdTokenCredentials.newBuilder().setIdTokenProvider(account)));
        assertEquals(List.of(AUDIENCE), claims.audiences());
        assertEquals(ACCOUNT, claims.email());
    }

    @ParameterizedTest
    @ValueSource(strings = {"/oauth2/v1/certs", "/oauth2/v3/certs"})
    void tokenVerifierAcceptsWhatGatepassFetchesByAKey(String certificates) throws Exception {
        String token = TokenSource.builder()
                .credentialsJson(emulator.keyFile(ACCOUNT))
                .trustedEndpoints(emulator.url.getAuthority())
                .build().fetchIdToken(AUDIENCE);
        assertEquals(ACCOUNT, tokenVerifier(certificates).verify(token).getPayload().get("email"));
        String tampered = token.substring(0, token.length() - 8) + "AAAAAAAA";
        assertThrows(TokenVerifier.VerificationException.class, () -> tokenVerifier(certificates).verify(tampered));
    }

    @Test
    void tokenVerifierAcceptsWhatGatepassFetchesFromTheMetadataServer() throws Exception {
        String token = emulator.runWithMetadataServer(FetchByGatepass.class, AUDIENCE);
        assertEquals("default@emulator.iam.gserviceaccount.com",
                tokenVerifier("/oauth2/v3/certs").verify(token).getPayload().get("email"));
    }

    private static Claims verify(String token) {
        return Verifier.builder().google().audience(AUDIENCE)
                .keysUrl(emulator.url.resolve("/oauth2/v3/certs")).build().verify(token);
    }

    private static TokenVerifier tokenVerifier(String certificates) {
        return TokenVerifier.newBuilder()
                .setAudience(AUDIENCE)
                .setIssuer("https://accounts.google.com")
                .setCertificatesLocation(emulator.url.resolve(certificates).toString())
                .build();
    }

    private static String fetch(IdTokenCredentials.Builder credentials) throws IOException {
        return credentials.setTargetAudience(AUDIENCE).build().refreshAccessToken().getTokenValue();
    }

    /** Prints an ID token that Google's library has fetched from the metadata server. */
    static final class FetchByMetadataServer {
        public static void main(String[] arguments) throws IOException {
            System.out.println(IdTokenCredentials.newBuilder()
                    .setIdTokenProvider(ComputeEngineCredentials.create())
                    .setTargetAudience(arguments[0])
                    .setOptions(List.of(IdTokenProvider.Option.FORMAT_FULL))
                    .build().refreshAccessToken().getTokenValue());
        }
    }

    /** Prints an ID token that gatepass has fetched from the metadata server. */
    static final class FetchByGatepass {
        public static void main(String[] arguments) {
            System.out.println(Gatepass.fetchIdToken(arguments[0]));
        }
    }
}
