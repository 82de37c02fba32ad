package dev.gatepass;

/**
 * What a {@link SubjectTokenSupplier} is asked for.
 *
 * @param audience the workload identity pool's provider, as the credentials name it
 * @param tokenType the kind of token that it takes (RFC 8693, section 3), such as
 *     {@code urn:ietf:params:oauth:token-type:jwt}
 */
public record SubjectTokenRequest(String audience, String tokenType) {}
