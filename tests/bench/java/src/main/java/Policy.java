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

/** What every peer checks of a token, besides {@code exp}. */
record Policy(String algorithm, String issuer, String audience, PublicKey key) {
    static final String KEY_ID = "bench";

    private static final Base64.Encoder BASE64URL = Base64.getUrlEncoder().withoutPadding();

    /** The key as a JWK set. */
    String keySet() {
        String members = key instanceof RSAPublicKey rsa
                ? "\"kty\":\"RSA\",\"n\":\"" + number(rsa.getModulus(), 256)
                        + "\",\"e\":\"" + number(rsa.getPublicExponent(), 3)
                : "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" + number(((ECPublicKey) key).getW().getAffineX(), 32)
                        + "\",\"y\":\"" + number(((ECPublicKey) key).getW().getAffineY(), 32);
        return "{\"keys\":[{\"kid\":\"" + KEY_ID + "\",\"alg\":\"" + algorithm
                + "\",\"use\":\"sig\"," + members + "\"}]}";
    }

    /** Writes it, and tokens, to a file for another process. */
    void write(Path file, List<String> tokens) throws IOException {
        String encoded = Base64.getEncoder().encodeToString(key.getEncoded());
        List<String> lines = new ArrayList<>(List.of(algorithm, issuer, audience, encoded));
        lines.addAll(tokens);
        Files.write(file, lines);
    }

    static Policy read(List<String> lines) throws GeneralSecurityException {
        KeyFactory keys = KeyFactory.getInstance(lines.get(0).equals("RS256") ? "RSA" : "EC");
        PublicKey key = keys.generatePublic(new X509EncodedKeySpec(Base64.getDecoder().decode(lines.get(3))));
        return new Policy(lines.get(0), lines.get(1), lines.get(2), key);
    }

    static List<String> readTokens(List<String> lines) {
        return lines.subList(4, lines.size());
    }

    /** A number of this many octets, without the sign that Java puts before them. */
    private static String number(BigInteger value, int octets) {
        byte[] signed = value.toByteArray();
        byte[] plain = new byte[octets];
        int length = Math.min(octets, signed.length);
        System.arraycopy(Arrays.copyOfRange(signed, signed.length - length, signed.length), 0, plain, octets - length,
                length);
        return BASE64URL.encodeToString(plain);
    }
}
