import com.auth0.jwt.JWT;
import com.auth0.jwt.algorithms.Algorithm;
import com.google.auth.oauth2.IdTokenCredentials;
import com.google.auth.oauth2.JwtClaims;
import com.google.auth.oauth2.JwtCredentials;
import com.google.auth.oauth2.ServiceAccountCredentials;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import dev.gatepass.TokenSource;
import io.jsonwebtoken.Jwts;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.interfaces.RSAPrivateKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** S, H and F: tokens to send. */
final class FetchJobs {
    private static final int COLD_CALLERS = 1_000;
    /** How long the endpoint of F takes, so that all callers have come before it answers. */
    private static final long ANSWER_AFTER_MS = 300;
    private static final String RECEIVER = "https://receiver.example";

    private FetchJobs() {}

    static List<Job> all() {
        return List.of(
                new Job("S", "op/s", last -> signers(Issuer.google())),
                new Job("H", "op/s", FetchJobs::warmHeader),
                new Job(Map.of("F", "requests"), Job.Length.LONG, last -> herds(Issuer.google())));
    }

    /** A JWT of a service account, each for another audience, signed with its key. */
    private static List<Job.Contender> signers(Issuer issuer) {
        String email = Issuer.EMAIL;
        TokenSource source = TokenSource.builder()
                .credentialsJson(Account.file(issuer, "https://oauth2.googleapis.com/token"))
                .build();
        Algorithm algorithm = Algorithm.RSA256(null, (RSAPrivateKey) issuer.key());
        RSASSASigner signer = new RSASSASigner(issuer.key());
        return List.of(
                Job.rate("S", "gatepass", "gatepass", turn -> source.fetchSelfSignedJwt(audience(turn))),
                Job.rate("S", "google-auth", "google-auth", turn -> JwtCredentials.newBuilder()
                        .setPrivateKey(issuer.key()).setPrivateKeyId(Policy.KEY_ID)
                        .setJwtClaims(JwtClaims.newBuilder()
                                .setIssuer(email).setSubject(email).setAudience(audience(turn)).build())
                        .build().getRequestMetadata(null)),
                Job.rate("S", "java-jwt", "java-jwt", turn -> JWT.create()
                        .withKeyId(Policy.KEY_ID).withIssuer(email).withSubject(email).withAudience(audience(turn))
                        .withIssuedAt(Instant.now()).withExpiresAt(Instant.now().plusSeconds(3600)).sign(algorithm)),
                Job.rate("S", "nimbus", "nimbus", turn -> {
                    SignedJWT jwt = new SignedJWT(
                            new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(Policy.KEY_ID).build(),
                            new JWTClaimsSet.Builder().issuer(email).subject(email).audience(audience(turn))
                                    .issueTime(new Date()).expirationTime(inAnHour()).build());
                    jwt.sign(signer);
                    return jwt.serialize();
                }),
                Job.rate("S", "jjwt", "jjwt", turn -> Jwts.builder()
                        .header().keyId(Policy.KEY_ID).and().issuer(email).subject(email)
                        .audience().add(audience(turn)).and().issuedAt(new Date()).expiration(inAnHour())
                        .signWith(issuer.key(), Jwts.SIG.RS256).compact()));
    }

    /** An ID token that is held. */
    private static List<Job.Contender> warmHeader(List<AutoCloseable> last) throws Exception {
        Issuer issuer = Issuer.google();
        TokenEndpoint endpoint = new TokenEndpoint(issuer.token(RECEIVER, 0), 0);
        last.add(endpoint);
        TokenSource source = gatepass(issuer, endpoint);
        IdTokenCredentials credentials = google(issuer, endpoint);
        URI url = URI.create(RECEIVER);
        return List.of(
                Job.rate("H", "gatepass", "gatepass", turn -> source.fetchIdTokenHeader(RECEIVER)),
                Job.rate("H", "google-auth", "google-auth", turn -> credentials.getRequestMetadata(url)));
    }

    /** How many requests so many callers make who all come at once, when nothing is held. */
    private static List<Job.Contender> herds(Issuer issuer) {
        String token = issuer.token(RECEIVER, 0);
        return List.of(
                new Job.Contender("gatepass", "gatepass", seconds -> {
                    try (TokenEndpoint endpoint = new TokenEndpoint(token, ANSWER_AFTER_MS)) {
                        TokenSource source = gatepass(issuer, endpoint);
                        allAtOnce(() -> source.fetchIdToken(RECEIVER));
                        return Map.of("F", (double) endpoint.requests());
                    }
                }),
                new Job.Contender("google-auth", "google-auth", seconds -> {
                    try (TokenEndpoint endpoint = new TokenEndpoint(token, ANSWER_AFTER_MS)) {
                        IdTokenCredentials credentials = google(issuer, endpoint);
                        allAtOnce(() -> credentials.getRequestMetadata(URI.create(RECEIVER)));
                        return Map.of("F", (double) endpoint.requests());
                    }
                }));
    }

    private static void allAtOnce(Callable<?> call) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(COLD_CALLERS);
        try {
            CountDownLatch start = new CountDownLatch(1);
            List<Future<?>> calls = new ArrayList<>();
            for (int each = 0; each < COLD_CALLERS; each++) {
                calls.add(threads.submit(() -> {
                    start.await();
                    return call.call();
                }));
            }
            start.countDown();
            for (Future<?> each : calls) {
                each.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static TokenSource gatepass(Issuer issuer, TokenEndpoint endpoint) {
        return TokenSource.builder()
                .credentialsJson(Account.file(issuer, endpoint.url().toString()))
                .trustedEndpoints(endpoint.url().getAuthority())
                .build();
    }

    private static IdTokenCredentials google(Issuer issuer, TokenEndpoint endpoint) throws IOException {
        String file = Account.file(issuer, endpoint.url().toString());
        return IdTokenCredentials.newBuilder()
                .setIdTokenProvider(ServiceAccountCredentials.fromStream(
                        new ByteArrayInputStream(file.getBytes(StandardCharsets.UTF_8))))
                .setTargetAudience(RECEIVER)
                .build();
    }

    private static String audience(int number) {
        return "https://api.example/" + number;
    }

    private static Date inAnHour() {
        return new Date(System.currentTimeMillis() + 3_600_000);
    }
}
