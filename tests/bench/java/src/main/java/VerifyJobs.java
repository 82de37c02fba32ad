import dev.gatepass.EmptyCall;
import dev.gatepass.TokenSource;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** V1 to V4 and G: verification with the key in memory. */
final class VerifyJobs {
    /** How many different tokens there are. */
    private static final int DISTINCT = 1_000;
    private static final int THREADS = 4;
    /** How many strings hold the token that is repeated. */
    private static final int COPIES = 1_000;
    /** G asks for those that came last, or for all if there are fewer. */
    private static final int LAST = 1_000;

    private VerifyJobs() {}

    static List<Job> all() {
        return List.of(
                new Job("V1", "op/s", last -> {
                    Issuer issuer = Issuer.google();
                    List<Job.Contender> contenders = repeated("V1", issuer, 1);
                    contenders.add(Job.rate("V1", "raw java.security", null, new RawSignature(issuer)));
                    contenders.add(Job.rate("V1", "empty call", null, turn -> EmptyCall.call()));
                    return contenders;
                }),
                new Job("V2", "op/s", last -> distinct("V2", Issuer.google(), 1)),
                new Job("V3", "op/s", last -> distinct("V3", Issuer.identityAwareProxy(), 1)),
                new Job("V4-repeated", "op/s", last -> repeated("V4-repeated", Issuer.google(), THREADS)),
                new Job("V4-distinct", "op/s", last -> distinct("V4-distinct", Issuer.google(), THREADS)),
                new Job("G-10", "op/s", last -> grown("G-10", 10)),
                new Job("G-1000", "op/s", last -> grown("G-1000", 1_000)),
                new Job("G-100000", "op/s", last -> grown("G-100000", 100_000)));
    }

    /** The same token again and again, in a string of its own each time, as a server makes one of each request. */
    private static List<Job.Contender> repeated(String job, Issuer issuer, int threads) throws Exception {
        char[] token = issuer.tokens(1).get(0).toCharArray();
        List<String> copies = Stream.generate(() -> new String(token)).limit(COPIES).toList();
        List<Job.Contender> contenders = new ArrayList<>();
        for (String name : Peer.NAMES) {
            Peer.Receiver receiver = Peer.named(name).receiver(issuer.policy());
            contenders.add(Job.rate(job, name, name, threads, turn -> checked(receiver, copies.get(turn % COPIES))));
        }
        return contenders;
    }

    /**
     * Different tokens in turn. After all of them comes a new receiver, so that none has seen a token before; but one
     * contender keeps its receiver, which remembers them.
     */
    private static List<Job.Contender> distinct(String job, Issuer issuer, int threads) throws Exception {
        List<String> tokens = issuer.tokens(DISTINCT);
        List<Job.Contender> contenders = new ArrayList<>();
        for (String name : Peer.NAMES) {
            String label = name.equals("gatepass") ? "gatepass, every token new" : name;
            contenders.add(Job.rate(job, label, name, threads, new FirstSight(name, issuer, tokens)));
        }
        Peer.Receiver remembering = new GatepassPeer().receiver(issuer.policy());
        contenders.add(Job.rate(job, "gatepass", "gatepass", threads,
                turn -> checked(remembering, tokens.get(turn % DISTINCT))));
        return contenders;
    }

    /** What every library that leaves signatures to the JDK needs at least. */
    private static final class RawSignature implements Job.Work {
        private final Signature algorithm;
        private final PublicKey key;
        private final byte[] signed;
        private final byte[] signature;

        RawSignature(Issuer issuer) throws GeneralSecurityException {
            String token = issuer.tokens(1).get(0);
            int end = token.lastIndexOf('.');
            algorithm = Signature.getInstance("SHA256withRSA");
            key = issuer.policy().key();
            signed = token.substring(0, end).getBytes(StandardCharsets.US_ASCII);
            signature = Base64.getUrlDecoder().decode(token.substring(end + 1));
        }

        @Override
        public Object carryOut(int turn) throws GeneralSecurityException {
            algorithm.initVerify(key);
            algorithm.update(signed);
            if (!algorithm.verify(signature)) {
                throw new AssertionError("the signature is refused");
            }
            return signature;
        }
    }

    private static final class FirstSight implements Job.Work {
        private final Peer peer;
        private final Issuer issuer;
        private final List<String> tokens;
        private volatile Peer.Receiver receiver;

        FirstSight(String name, Issuer issuer, List<String> tokens) throws Exception {
            this.peer = Peer.named(name);
            this.issuer = issuer;
            this.tokens = tokens;
            this.receiver = peer.receiver(issuer.policy());
        }

        @Override
        public Object carryOut(int turn) throws Exception {
            if (turn % DISTINCT == 0) {
                receiver = peer.receiver(issuer.policy());
            }
            return checked(receiver, tokens.get(turn % DISTINCT));
        }
    }

    /** The tokens and the headers that came last, after so many others. */
    private static List<Job.Contender> grown(String job, int size) throws Exception {
        Issuer issuer = Issuer.google();
        List<String> tokens = issuer.tokens(size);
        Peer.Receiver receiver = new GatepassPeer().receiver(issuer.policy());
        for (String token : tokens) {
            checked(receiver, token);
        }
        TokenSource source = TokenSource.builder()
                .credentialsJson(Account.file(issuer, "https://oauth2.googleapis.com/token"))
                .build();
        IntStream.range(0, size).parallel().forEach(each -> source.fetchSelfSignedJwt(audience(each)));
        int last = Math.min(size, LAST);
        return List.of(
                Job.rate(job, "gatepass", "gatepass", turn -> checked(receiver, tokens.get(size - 1 - turn % last))),
                Job.rate(job, "gatepass, tokens to send", "gatepass",
                        turn -> source.fetchSelfSignedJwt(audience(size - 1 - turn % last))));
    }

    private static String audience(int number) {
        return "https://receiver.example/" + number;
    }

    private static String checked(Peer.Receiver receiver, String token) throws Exception {
        String email = receiver.email(token);
        if (!Issuer.EMAIL.equals(email)) {
            throw new AssertionError("the e-mail is " + email);
        }
        return email;
    }
}
