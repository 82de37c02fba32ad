import java.util.Base64;

/** A service account with the issuer's key. */
final class Account {
    private Account() {}

    /** The text of its key file, with this token endpoint. */
    static String file(Issuer issuer, String tokenUri) {
        String key = Base64.getEncoder().encodeToString(issuer.key().getEncoded());
        return "{\"type\":\"service_account\",\"project_id\":\"project\",\"private_key_id\":\"" + Policy.KEY_ID
                + "\",\"private_key\":\"-----BEGIN PRIVATE KEY-----\\n" + key + "\\n-----END PRIVATE KEY-----\\n\""
                + ",\"client_id\":\"1\",\"client_email\":\"" + Issuer.EMAIL + "\",\"token_uri\":\"" + tokenUri + "\"}";
    }
}
