package dev.gatepass;

/**
 * A function of the user's own that gives subject tokens, which are exchanged for tokens of Google (workload identity
 * federation). Credentials name it: {@code "credential_source": {"supplier": "NAME"}}.
 */
@FunctionalInterface
public interface SubjectTokenSupplier {
    /**
     * Gives a subject token. It may wait: it runs on a thread of gatepass, which is interrupted when the token is
     * wanted no more.
     *
     * @param request what the token is for
     * @return a token that the workload identity pool accepts
     * @throws Exception if none can be had; it becomes the cause of the {@link CredentialsException}, whose message
     *     holds its class's name and none of its words
     */
    String subjectToken(SubjectTokenRequest request) throws Exception;
}
