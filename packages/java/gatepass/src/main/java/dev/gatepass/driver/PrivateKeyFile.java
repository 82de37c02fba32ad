package dev.gatepass.driver;

import dev.gatepass.driver.Pem.UnusableFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.List;

/**
 * A private key in a PEM file: PKCS#8 (RFC 5958), or one of the older forms of OpenSSL, PKCS#1 (RFC 8017) and SEC 1
 * (RFC 5915). Java reads only the first, which is the others with the algorithm's name before them.
 */
final class PrivateKeyFile {
    // Tags of DER.
    private static final int INTEGER = 0x02;
    private static final int OCTETS = 0x04;
    private static final int SEQUENCE = 0x30;

    /** {@code rsaEncryption} with its parameters, NULL (RFC 8017, appendix C). */
    private static final byte[] RSA = {
        0x06, 0x09, 0x2A, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00
    };
    /** {@code id-ecPublicKey}, whose parameters name the curve (RFC 5480, section 2.1.1). */
    private static final byte[] EC = {0x06, 0x07, 0x2A, (byte) 0x86, 0x48, (byte) 0xCE, 0x3D, 0x02, 0x01};

    private PrivateKeyFile() {}

    /** The key of the file, which must be the other half of {@code certified}. */
    static PrivateKey read(String path, PublicKey certified) throws IOException {
        List<Pem> keys = Pem.read(path).stream().filter(block -> block.label().endsWith("PRIVATE KEY")).toList();
        if (keys.size() != 1) {
            throw new UnusableFile(path, "holds " + keys.size() + " PEM private keys, expected one");
        }
        try {
            PrivateKey key = KeyFactory.getInstance(certified.getAlgorithm())
                    .generatePrivate(new PKCS8EncodedKeySpec(pkcs8(keys.get(0), certified)));
            if (belong(key, certified)) {
                return key;
            }
        } catch (GeneralSecurityException ofAnotherKind) {
            // As if it were of the same kind: the message below says all there is to say.
        }
        throw new UnusableFile(path, "does not hold the private key of the certificate, or has it encrypted");
    }

    private static byte[] pkcs8(Pem key, PublicKey certified) throws GeneralSecurityException, IOException {
        if (key.label().equals("RSA PRIVATE KEY")) {
            return pkcs8(RSA, key.der());
        }
        if (key.label().equals("EC PRIVATE KEY") && certified instanceof ECPublicKey point) {
            AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
            curve.init(point.getParams());
            return pkcs8(join(EC, curve.getEncoded()), key.der());
        }
        return key.der();
    }

    private static byte[] pkcs8(byte[] algorithm, byte[] key) {
        byte[] version = der(INTEGER, new byte[1]);
        return der(SEQUENCE, join(version, der(SEQUENCE, algorithm), der(OCTETS, key)));
    }

    /** Tag, length and content (X.690, section 8.1). No key is longer than two bytes can count. */
    private static byte[] der(int tag, byte[] content) {
        int length = content.length;
        byte[] header = length < 0x80 ? new byte[] {(byte) tag, (byte) length}
                : length < 0x100 ? new byte[] {(byte) tag, (byte) 0x81, (byte) length}
                : new byte[] {(byte) tag, (byte) 0x82, (byte) (length >> 8), (byte) length};
        return join(header, content);
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    /** Whether the one verifies what the other signs. */
    private static boolean belong(PrivateKey key, PublicKey certified) throws GeneralSecurityException {
        Signature signature = Signature.getInstance(switch (key.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            default -> key.getAlgorithm();
        });
        signature.initSign(key);
        byte[] signed = signature.sign();
        signature.initVerify(certified);
        return signature.verify(signed);
    }
}
