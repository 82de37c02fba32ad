import com.google.auth.oauth2.TokenVerifier;

final class GoogleAuthPeer implements Peer {
    @Override
    public Receiver receiver(Policy policy) {
        TokenVerifier verifier = TokenVerifier.newBuilder()
                .setAudience(policy.audience()).setIssuer(policy.issuer()).setPublicKey(policy.key()).build();
        return token -> (String) verifier.verify(token).getPayload().get("email");
    }
}
