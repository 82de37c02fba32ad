import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.stream.IntStream;

/** Signs tokens with a key that is made when the benchmark starts, the same for all peers. */
final class Issuer {
    static final String EMAIL = "caller@project.iam.gserviceaccount.com";

    private static final Base64.Encoder BASE64URL = Base64.getUrlEncoder().withoutPadding();

    private final Policy policy;
    private final PrivateKey key;

    private Issuer(String algorithm, String issuer, String audience, KeyPair keys) {
        policy = Policy.of(algorithm, issuer, audience, keys.getPublic());
        key = keys.getPrivate();
    }

    /** Google's ID tokens: RS256 with a key of 2048 bits. */
    static Issuer google() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        return new Issuer("RS256", "https://accounts.google.com", "https://receiver.example",
                generator.generateKeyPair());
    }

    /** Identity-Aware Proxy's assertions: ES256. */
    static Issuer identityAwareProxy() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(256);
        return new Issuer("ES256", "https://cloud.google.com/iap", "/projects/1/global/backendServices/2",
                generator.generateKeyPair());
    }

    Policy policy() {
        return policy;
    }

    PrivateKey key() {
        return key;
    }

    /** So many tokens, each of another subject; they end in an hour. */
    List<String> tokens(int count) {
        return IntStream.range(0, count).parallel().mapToObj(each -> token(policy.audience(), each)).toList();
    }

    String token(String audience, int subject) {
        long now = Instant.now().getEpochSecond();
        String header = "{\"alg\":\"" + policy.algorithm() + "\",\"kid\":\"" + Policy.KEY_ID + "\",\"typ\":\"JWT\"}";
        String claims = "{\"aud\":\"" + audience + "\",\"azp\":\"" + EMAIL + "\",\"email\":\"" + EMAIL
                + "\",\"email_verified\":true,\"exp\":" + (now + 3600) + ",\"iat\":" + now
                + ",\"iss\":\"" + policy.issuer() + "\",\"sub\":\"" + (100_000_000_000_000L + subject) + "\"}";
        String signed = encode(header) + "." + encode(claims);
        try {
            Signature signature = Signature.getInstance(
                    policy.algorithm().equals("RS256") ? "SHA256withRSA" : "SHA256withECDSAinP1363Format");
            signature.initSign(key);
            signature.update(signed.getBytes(StandardCharsets.US_ASCII));
            return signed + "." + BASE64URL.encodeToString(signature.sign());
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    private static String encode(String json) {
        return BASE64URL.encodeToString(json.getBytes(StandardCharsets.UTF_8));
    }
}
