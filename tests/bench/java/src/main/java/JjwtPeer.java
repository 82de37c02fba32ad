import io.jsonwebtoken.JwtParser;
import io.jsonwebtoken.Jwts;

final class JjwtPeer implements Peer {
    @Override
    public Receiver receiver(Policy policy) {
        JwtParser parser = Jwts.parser()
                .verifyWith(policy.key()).requireIssuer(policy.issuer()).requireAudience(policy.audience()).build();
        return token -> parser.parseSignedClaims(token).getPayload().get("email", String.class);
    }
}
