import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/**
 * What every peer checks of a token, besides {@code exp}. The key is there as libraries take it, as a JWK set or as an
 * object of the JDK's, and the latter is made for those only who ask for it: it takes a while when a process starts.
 */
record Policy(String algorithm, String issuer, String audience, String keySet, String encodedKey) {
    static final String KEY_ID = "bench";

    private static final int LINES = 5;

    static Policy of(String algorithm, String issuer, String audience, PublicKey key) {
        String encodedKey = Base64.getEncoder().encodeToString(key.getEncoded());
        return new Policy(algorithm, issuer, audience, keySet(algorithm, key), encodedKey);
    }

    PublicKey key() {
        try {
            KeyFactory keys = KeyFactory.getInstance(algorithm.equals("RS256") ? "RSA" : "EC");
            return keys.generatePublic(new X509EncodedKeySpec(Base64.getDecoder().decode(encodedKey)));
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    /** Writes it, and tokens, to a file for another process. */
    void write(Path file, List<String> tokens) throws IOException {
        List<String> lines = new ArrayList<>(List.of(algorithm, issuer, audience, keySet, encodedKey));
        lines.addAll(tokens);
        Files.write(file, lines);
    }

    static Policy read(List<String> lines) {
        return new Policy(lines.get(0), lines.get(1), lines.get(2), lines.get(3), lines.get(4));
    }

    static List<String> readTokens(List<String> lines) {
        return lines.subList(LINES, lines.size());
    }

    private static String keySet(String algorithm, PublicKey key) {
        String members = key instanceof RSAPublicKey rsa
                ? "\"kty\":\"RSA\",\"n\":\"" + number(rsa.getModulus(), 256)
                        + "\",\"e\":\"" + number(rsa.getPublicExponent(), 3)
                : "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" + number(((ECPublicKey) key).getW().getAffineX(), 32)
                        + "\",\"y\":\"" + number(((ECPublicKey) key).getW().getAffineY(), 32);
        return "{\"keys\":[{\"kid\":\"" + KEY_ID + "\",\"alg\":\"" + algorithm
                + "\",\"use\":\"sig\"," + members + "\"}]}";
    }

    /** A number of this many bytes, without the sign that Java puts before them. */
    private static String number(BigInteger value, int width) {
        byte[] signed = value.toByteArray();
        byte[] plain = new byte[width];
        int length = Math.min(width, signed.length);
        System.arraycopy(Arrays.copyOfRange(signed, signed.length - length, signed.length), 0, plain, width - length,
                length);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(plain);
    }
}
