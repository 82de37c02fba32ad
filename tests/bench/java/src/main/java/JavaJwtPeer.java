import com.auth0.jwt.JWT;
import com.auth0.jwt.JWTVerifier;
import com.auth0.jwt.algorithms.Algorithm;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;

final class JavaJwtPeer implements Peer {
    @Override
    public Receiver receiver(Policy policy) {
        Algorithm algorithm = policy.key() instanceof RSAPublicKey rsa
                ? Algorithm.RSA256(rsa, null)
                : Algorithm.ECDSA256((ECPublicKey) policy.key(), null);
        JWTVerifier verifier =
                JWT.require(algorithm).withIssuer(policy.issuer()).withAudience(policy.audience()).build();
        return token -> verifier.verify(token).getClaim("email").asString();
    }
}
