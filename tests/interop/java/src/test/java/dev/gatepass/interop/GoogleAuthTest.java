package dev.gatepass.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.api.client.http.HttpTransport;
import com.google.api.client.http.javanet.NetHttpTransport;
import com.google.auth.oauth2.ComputeEngineCredentials;
import com.google.auth.oauth2.GdchCredentials;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.auth.oauth2.IdTokenCredentials;
import com.google.auth.oauth2.IdTokenProvider;
import com.google.auth.oauth2.IdentityPoolCredentials;
import com.google.auth.oauth2.ImpersonatedCredentials;
import com.google.auth.oauth2.TokenVerifier;
import dev.gatepass.CredentialsException;
import dev.gatepass.ErrorCode;
import dev.gatepass.SubjectTokenRequest;
import dev.gatepass.TokenSource;
import dev.gatepass.Verifier;
import dev.gatepass.testing.Emulator;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Google's own library, unmodified, and gatepass: with the same credentials each gets what the other gets, and each
 * verifies the other's ID tokens.
 */
class GoogleAuthTest {
    private static final String AUDIENCE = "https://orders.example/path?a=1&b=2";
    private static final String SCOPE = "https://www.googleapis.com/auth/cloud-platform";
    private static final String CALLER = "caller@emulator.iam.gserviceaccount.com";
    private static final String BETWEEN = "between@emulator.iam.gserviceaccount.com";
    private static final String PERSON = "person@example.com";
    /** The library wants https in files of workload identity federation; it reaches the emulator all the same. */
    private static final String SECURE_HOST = "https://emulator.example";

    private static final Emulator EMULATOR = Emulator.start();
    /** The library asks Google's own hosts, whatever some files say: here the emulator is behind all of them. */
    private static final HttpTransport TRANSPORT =
            new NetHttpTransport.Builder().setConnectionFactory(GoogleAuthTest::connect).build();

    @TempDir
    private static Path folder;

    @BeforeAll
    static void trustTheEmulator() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("emulator", CertificateFactory.getInstance("X.509").generateCertificate(
                new ByteArrayInputStream(EMULATOR.run("emulator", "ca").getBytes(StandardCharsets.UTF_8))));
        Path file = folder.resolve("trust.p12");
        try (OutputStream stream = Files.newOutputStream(file)) {
            store.store(stream, "changeit".toCharArray());
        }
        System.setProperty("javax.net.ssl.trustStore", file.toString());
        System.setProperty("javax.net.ssl.trustStorePassword", "changeit");
    }

    @AfterAll
    static void trustAsBefore() {
        System.clearProperty("javax.net.ssl.trustStore");
        System.clearProperty("javax.net.ssl.trustStorePassword");
        EMULATOR.close();
    }

    /** Every kind of credentials that both know, and whether the library gives ID tokens with it. */
    enum Kind {
        METADATA(true, "default@emulator.iam.gserviceaccount.com"),
        SERVICE_ACCOUNT(true, CALLER, "--email", CALLER),
        AUTHORIZED_USER(true, PERSON, "--type", "authorized_user", "--email", PERSON),
        EXTERNAL_ACCOUNT_AUTHORIZED_USER(
                false, null, "--type", "external_account_authorized_user", "--email", PERSON),
        IMPERSONATED_BY_A_PERSON(true, CALLER, impersonation("authorized_user")),
        IMPERSONATED_BY_A_SERVICE_ACCOUNT(true, CALLER, impersonation("service_account")),
        IMPERSONATED_THROUGH_DELEGATES(true, CALLER, impersonation("authorized_user", "--delegate", BETWEEN)),
        EXTERNAL_FILE(false, CALLER, federation("file", "--email", CALLER)),
        EXTERNAL_URL(false, CALLER, federation("url", "--email", CALLER)),
        EXTERNAL_EXECUTABLE(false, CALLER, federation("executable", "--email", CALLER)),
        EXTERNAL_AWS(false, CALLER, federation("aws", "--email", CALLER)),
        EXTERNAL_FILE_ALONE(false, null, federation("file", "--no-impersonation")),
        EXTERNAL_URL_ALONE(false, null, federation("url", "--no-impersonation")),
        EXTERNAL_EXECUTABLE_ALONE(false, null, federation("executable", "--no-impersonation")),
        EXTERNAL_AWS_ALONE(false, null, federation("aws", "--no-impersonation"));

        private final boolean idTokens;
        /** Whom the tokens speak for; null for a principal without an address. */
        private final String email;
        private final String[] options;

        Kind(boolean idTokens, String email, String... options) {
            this.idTokens = idTokens;
            this.email = email;
            this.options = options;
        }

        TokenSource gatepass() throws IOException {
            return (this == METADATA ? EMULATOR.tokenSource() : ours(file())).build();
        }

        GoogleCredentials google() throws IOException {
            return this == METADATA
                    ? ComputeEngineCredentials.newBuilder().setHttpTransportFactory(() -> TRANSPORT).build()
                    : read(name().startsWith("EXTERNAL") ? secured(file()) : file());
        }

        private String file() throws IOException {
            List<String> all = new ArrayList<>(List.of(options));
            if (all.contains("file")) {
                Path token = Files.writeString(folder.resolve("subject-token"), "a subject token");
                all.addAll(List.of("--file", token.toString()));
            }
            return EMULATOR.credentialFile(all.toArray(String[]::new));
        }
    }

    @ParameterizedTest
    @EnumSource
    void bothGetTheSameAccessToken(Kind kind) throws IOException {
        assertSameOwner(kind.email, kind.google(), kind.gatepass());
    }

    @ParameterizedTest
    @EnumSource
    void gatepassVerifiesTheLibrarysIdToken(Kind kind) throws IOException {
        GoogleCredentials credentials = kind.google().createScoped(SCOPE);
        credentials.refresh(); // Without which the library impersonates with an account's key, but without its scope.
        assertEquals(kind.idTokens, credentials instanceof IdTokenProvider);
        if (kind == Kind.AUTHORIZED_USER) {
            // Google's answer to a login of gcloud's has none for another audience, and so has the emulator's.
            assertThrows(IOException.class, () -> idToken(credentials));
        } else if (kind.idTokens) {
            assertEquals(kind.email, verified(idToken(credentials)));
        }
    }

    @ParameterizedTest
    @EnumSource
    void theLibraryVerifiesGatepassesIdToken(Kind kind) throws Exception {
        TokenSource source = kind.gatepass();
        if (kind.email == null || kind.email.equals(PERSON)) {
            var refused = assertThrows(CredentialsException.class, () -> source.fetchIdToken(AUDIENCE));
            assertEquals(ErrorCode.ID_TOKEN_UNSUPPORTED, refused.code());
        } else {
            assertEquals(kind.email, verifiedByGoogle("/oauth2/v3/certs", source.fetchIdToken(AUDIENCE)));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/oauth2/v1/certs", "/oauth2/v3/certs"})
    void theLibraryRefusesATamperedToken(String certificates) throws Exception {
        String token = Kind.SERVICE_ACCOUNT.gatepass().fetchIdToken(AUDIENCE);
        assertEquals(CALLER, verifiedByGoogle(certificates, token));
        String tampered = token.substring(0, token.length() - 8) + "AAAAAAAA";
        assertThrows(TokenVerifier.VerificationException.class, () -> verifiedByGoogle(certificates, tampered));
    }

    /** With a certificate the library makes its own transport, which reaches the emulator by the file alone. */
    @Test
    void bothShowTheSameCertificate() throws Exception {
        Path file = folder.resolve("certificate.json");
        EMULATOR.credentialFile(
                federation("certificate", "--no-impersonation", "--out", file.toString()));
        String text = Files.readString(file);
        assertSameOwner(null, read(text), ours(text).build());
        assertFalse(read(text) instanceof IdTokenProvider);
    }

    @Test
    void bothGetTheSameTokenOfDistributedCloud() throws Exception {
        Path file = folder.resolve("distributed.json");
        EMULATOR.credentialFile(
                "--type", "gdch_service_account", "--name", "identity", "--out", file.toString());
        String text = Files.readString(file);
        GoogleCredentials google =
                ((GdchCredentials) GoogleCredentials.fromStream(new ByteArrayInputStream(
                        text.getBytes(StandardCharsets.UTF_8)))).createWithGdchAudience(URI.create(AUDIENCE));
        Map<String, Object> theirs = EMULATOR.tokenInfo(google.refreshAccessToken().getTokenValue());
        TokenSource ours = ours(text).gdchAudience(AUDIENCE).build();
        Map<String, Object> own = EMULATOR.tokenInfo(ours.fetchAccessToken());
        assertNotNull(own.get("sub"));
        assertEquals(theirs.get("sub"), own.get("sub"));
        assertFalse(google instanceof IdTokenProvider);
    }

    @Test
    void aSupplierOfOnesOwnIsAskedTheSameByBoth() throws Exception {
        String file = EMULATOR.credentialFile(federation("supplier", "--supplier", "own", "--email", CALLER));
        List<SubjectTokenRequest> asked = new ArrayList<>();
        TokenSource ours = ours(file).supplier("own", request -> {
            asked.add(request);
            return "a subject token";
        }).build();
        ours.fetchAccessToken(SCOPE);
        IdentityPoolCredentials google = IdentityPoolCredentials.newBuilder()
                .setSubjectTokenSupplier(context -> {
                    asked.add(new SubjectTokenRequest(context.getAudience(), context.getSubjectTokenType()));
                    return "a subject token";
                })
                .setAudience(asked.get(0).audience())
                .setSubjectTokenType(asked.get(0).tokenType())
                .setTokenUrl(SECURE_HOST + "/v1/token")
                .setServiceAccountImpersonationUrl(
                        SECURE_HOST + "/v1/projects/-/serviceAccounts/" + CALLER + ":generateAccessToken")
                .setHttpTransportFactory(() -> TRANSPORT)
                .setScopes(List.of(SCOPE))
                .build();
        assertSameOwner(CALLER, google, ours);
        assertTrue(asked.size() > 1);
        assertEquals(List.of(asked.get(0)), asked.stream().distinct().toList());
    }

    @Test
    void bothImpersonateWithTheCredentialsThatTheyFind() throws Exception {
        ImpersonatedCredentials google = ImpersonatedCredentials.create(
                Kind.METADATA.google(), CALLER, List.of(BETWEEN), List.of(SCOPE), 3600, () -> TRANSPORT);
        TokenSource ours = EMULATOR.tokenSource().impersonate(CALLER, BETWEEN).build();
        assertSameOwner(CALLER, google, ours);
        assertEquals(CALLER, verified(idToken(google)));
        assertEquals(CALLER, verifiedByGoogle("/oauth2/v3/certs", ours.fetchIdToken(AUDIENCE)));
    }

    @Test
    void theLibraryImpersonatesWithNoExternalAccount() throws Exception {
        String file = EMULATOR.credentialFile(impersonation("external_account"));
        IOException refused = assertThrows(IOException.class, () -> read(file));
        assertTrue(refused.getMessage().contains("external_account is not supported"), refused::getMessage);
        String token = ours(file).build().fetchIdToken(AUDIENCE);
        assertEquals(CALLER, verifiedByGoogle("/oauth2/v3/certs", token));
    }

    private static TokenSource.Builder ours(String file) {
        Map<String, String> allowing = new HashMap<>(EMULATOR.environment());
        allowing.put("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1");
        return EMULATOR.tokenSource(file).environment(allowing::get);
    }

    private static String[] impersonation(String source, String... more) {
        return join(List.of("--type", "impersonated_service_account", "--email", CALLER,
                "--source-credentials", source), more);
    }

    private static String[] federation(String source, String... more) {
        return join(List.of("--type", "external_account", "--source", source), more);
    }

    private static String[] join(List<String> options, String... more) {
        return Stream.concat(options.stream(), Stream.of(more)).toArray(String[]::new);
    }

    private static HttpURLConnection connect(URL url) throws IOException {
        return (HttpURLConnection) EMULATOR.url().resolve(url.getFile()).toURL().openConnection();
    }

    private static String secured(String file) {
        return file.replace(EMULATOR.url().toString(), SECURE_HOST);
    }

    private static GoogleCredentials read(String file) throws IOException {
        return GoogleCredentials.fromStream(
                new ByteArrayInputStream(file.getBytes(StandardCharsets.UTF_8)), () -> TRANSPORT);
    }

    /** The library asks for all that a person has agreed to, and gatepass for what it is told: no more may differ. */
    private static void assertSameOwner(String email, GoogleCredentials google, TokenSource gatepass)
            throws IOException {
        Map<String, Object> theirs =
                EMULATOR.tokenInfo(google.createScoped(SCOPE).refreshAccessToken().getTokenValue());
        Map<String, Object> ours = EMULATOR.tokenInfo(gatepass.fetchAccessToken(SCOPE));
        for (String member : List.of("email", "sub", "azp")) {
            assertEquals(theirs.get(member), ours.get(member), member);
        }
        assertEquals(email, ours.get("email"));
        assertEquals(SCOPE, ours.get("scope"));
        assertTrue(List.of(((String) theirs.get("scope")).split(" ")).contains(SCOPE), theirs::toString);
    }

    private static String idToken(GoogleCredentials credentials) throws IOException {
        return IdTokenCredentials.newBuilder()
                .setIdTokenProvider((IdTokenProvider) credentials)
                .setTargetAudience(AUDIENCE)
                .setOptions(List.of(IdTokenProvider.Option.FORMAT_FULL, IdTokenProvider.Option.INCLUDE_EMAIL))
                .build().refreshAccessToken().getTokenValue();
    }

    private static String verified(String idToken) {
        return Verifier.builder().google().audience(AUDIENCE).keysUrl(EMULATOR.keysUrl()).build()
                .verify(idToken).email();
    }

    private static Object verifiedByGoogle(String certificates, String idToken)
            throws TokenVerifier.VerificationException {
        return TokenVerifier.newBuilder()
                .setAudience(AUDIENCE)
                .setIssuer("https://accounts.google.com")
                .setCertificatesLocation(EMULATOR.url().resolve(certificates).toString())
                .build().verify(idToken).getPayload().get("email");
    }
}
