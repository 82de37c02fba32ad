package dev.gatepass;

/**
 * What went wrong, as a stable code that is the same in every language. Never reused, never renamed. Each says what to
 * do.
 */
public enum ErrorCode {
    /** A fault in the package for this language; report it. */
    API_MISUSE,
    /** Correct the option that the message names. */
    INVALID_OPTION,
    /** Give the receiver's audience: its URL, or the custom audience it expects. */
    INVALID_AUDIENCE,
    /** Use a runtime or a package that can do this, or another kind of credentials. */
    UNSUPPORTED,
    /** A fault in gatepass; report it with the message. */
    INTERNAL,
    /** Set GOOGLE_APPLICATION_CREDENTIALS, log in with gcloud auth application-default login, or run where a metadata server answers. */
    CREDENTIALS_NOT_FOUND,
    /** Check that the file exists and that this process may read it. */
    CREDENTIALS_FILE_UNREADABLE,
    /** Download the credential file again, or correct the field that the message names. */
    CREDENTIALS_FILE_INVALID,
    /** Use a credential file of a known type. */
    CREDENTIALS_TYPE_UNKNOWN,
    /** Use a service-account key or a metadata server, or a newer gatepass. */
    /** Use a credential file from Google, or name the host in GATEPASS_TRUSTED_ENDPOINTS if you trust it. */
    ENDPOINT_NOT_ALLOWED,
    /** Check the account's key, its permissions and this machine's clock. */
    TOKEN_REFUSED,
    /** Check that no proxy or portal answers in place of the endpoint. */
    TOKEN_RESPONSE_INVALID,
    /**
     * Impersonate a service account: by the option {@code impersonate}, or with gcloud auth application-default login
     * --impersonate-service-account.
     */
    ID_TOKEN_UNSUPPORTED,
    /** Set GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1 if you trust the credential file. */
    EXECUTABLE_NOT_ALLOWED,
    /** Check the source of the subject token that the credential file names. */
    SUBJECT_TOKEN_FAILED,
    /**
     * Use a service-account key, or impersonate a service account by the option {@code impersonate}: IAM
     * signs for it.
     */
    SELF_SIGNED_JWT_UNSUPPORTED,
    /**
     * Use a service-account key with domain-wide delegation, or impersonate such an account by the
     * option {@code impersonate}.
     */
    SUBJECT_UNSUPPORTED,
    /** Give credentials of the type that the option {@code expectType} names, or change the option. */
    CREDENTIALS_TYPE_UNEXPECTED,
    /** Check the certificate and its private key, which the certificate configuration names. */
    CLIENT_CERTIFICATE_UNUSABLE,
    /** Check the network, then try again. */
    CONNECTION_FAILED,
    /** Try again, with more time. */
    TIMEOUT,
    /** Try again later. */
    ENDPOINT_UNAVAILABLE,
    /** Check that no proxy or portal answers in place of the endpoint. */
    RESPONSE_TOO_LARGE,
    /** Check the endpoint's URL; a credential is never sent on to another place. */
    REDIRECT_REFUSED,
    /** Send the header Authorization: Bearer with an ID token. */
    TOKEN_MISSING,
    /** Send an ID token as it was issued: a JWT of three parts. */
    TOKEN_MALFORMED,
    /** Send an ID token: at most 16 KiB, 64 levels deep. */
    TOKEN_TOO_LARGE,
    /** Send a token signed with an algorithm that this verifier allows. */
    ALG_NOT_ALLOWED,
    /** Send an ID token, not another kind of token. */
    TYP_MISMATCH,
    /** Send a token without critical header extensions. */
    CRIT_UNSUPPORTED,
    /** Check that the token comes from the issuer whose keys this verifier uses. */
    UNKNOWN_KEY,
    /** Check the issuer's key set. */
    KEY_UNUSABLE,
    /** Send the token exactly as it was issued. */
    BAD_SIGNATURE,
    /**
     * Have the caller send the token in X-Serverless-Authorization for Cloud Run and in Authorization for this
     * service.
     */
    SIGNATURE_STRIPPED,
    /** Send an ID token that has the claim. */
    MISSING_CLAIM,
    /** Send an ID token whose claims have the types of RFC 7519. */
    BAD_CLAIM_TYPE,
    /** Send an ID token whose times make sense. */
    BAD_CLAIM,
    /** Send a token of the issuer that this verifier trusts. */
    BAD_ISSUER,
    /** Have the caller ask for a token with this receiver's audience. */
    BAD_AUDIENCE,
    /** Fetch a new token; check both clocks. */
    TOKEN_EXPIRED,
    /** Check both clocks. */
    TOKEN_NOT_YET_VALID,
    /** Check both clocks. */
    TOKEN_ISSUED_IN_FUTURE,
    /** Add the caller's e-mail to the allowed ones, or call as an account that is. */
    EMAIL_NOT_ALLOWED,
    /** Send a token whose e-mail the issuer has verified. */
    EMAIL_NOT_VERIFIED,
    /** Try again; check that this service reaches the issuer's key URL. */
    KEYS_UNAVAILABLE,
    /** Add the caller's sub to the allowed ones, or call as an account that is. */
    SUBJECT_NOT_ALLOWED,
    /** Check the issuer's URL, and what it serves at /.well-known/openid-configuration. */
    DISCOVERY_INVALID
}
