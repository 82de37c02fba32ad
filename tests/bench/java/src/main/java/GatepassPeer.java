import dev.gatepass.Verifier;
import java.util.Collections;
import java.util.List;
import java.util.function.UnaryOperator;

final class GatepassPeer implements Peer {
    @Override
    public Receiver receiver(Policy policy) {
        Verifier.Builder builder = Verifier.builder().audience(policy.audience()).keys(policy.keySet());
        Verifier verifier = (policy.algorithm().equals("RS256") ? builder.google() : builder.iap()).build();
        return new Receiver() {
            @Override
            public String email(String token) {
                return verifier.verify(token).email();
            }

            @Override
            public String emailOfRequest(UnaryOperator<String> header) {
                return verifier.verifyRequest(name -> {
                    String value = header.apply(name);
                    return value == null ? null : Collections.enumeration(List.of(value));
                }).email();
            }
        };
    }
}
