package dev.gatepass;

/**
 * A signature of a service account.
 *
 * @param keyId the id of the key; null if it is not known
 * @param signature RSASSA-PKCS1-v1_5 with SHA-256
 */
public record SignedBytes(String keyId, byte[] signature) {
    /**
     * Shows the key's id.
     *
     * @return no signature
     */
    @Override
    public String toString() {
        return "SignedBytes[" + keyId + "]";
    }
}
