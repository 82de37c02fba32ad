import java.util.List;
import java.util.function.UnaryOperator;

/** A library that verifies tokens. */
interface Peer {
    /** gatepass, and those that a user would otherwise pick. */
    List<String> NAMES = List.of("gatepass", "google-auth", "java-jwt", "nimbus", "jjwt");

    /** A receiver with this policy, which holds the key and fetches none. */
    Receiver receiver(Policy policy) throws Exception;

    /** Checks tokens. */
    interface Receiver {
        /** The e-mail of a token with a valid signature, of the right issuer and audience, within its time. */
        String email(String token) throws Exception;

        /** The same of a request, by its headers. */
        default String emailOfRequest(UnaryOperator<String> header) throws Exception {
            return email(header.apply("Authorization").substring("Bearer ".length()));
        }
    }

    /** Loads that library, and no other. */
    static Peer named(String name) {
        return switch (name) {
            case "gatepass" -> new GatepassPeer();
            case "google-auth" -> new GoogleAuthPeer();
            case "java-jwt" -> new JavaJwtPeer();
            case "nimbus" -> new NimbusPeer();
            case "jjwt" -> new JjwtPeer();
            default -> throw new IllegalArgumentException(name);
        };
    }
}
