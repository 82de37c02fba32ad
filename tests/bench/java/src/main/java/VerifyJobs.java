import dev.gatepass.EmptyCall;
import dev.gatepass.TokenSource;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** V1 to V4 and G: verification with the key in memory. */
final class VerifyJobs {
    /** How many different tokens there are. */
    private static final int DISTINCT = 1_000;
    private static final int THREADS = 4;
    /** G asks for those that came last. */
    private static final int LAST = 10;

    private VerifyJobs() {}

    static List<Job> all() {
        return List.of(
                new Job("V1", "op/s", last -> {
                    List<Job.Contender> contenders = repeated(Issuer.google(), 1);
                    contenders.add(new Job.Contender("empty call", null, Job.rate(turn -> EmptyCall.call())));
                    return contenders;
                }),
                new Job("V2", "op/s", last -> distinct(Issuer.google(), 1)),
                new Job("V3", "op/s", last -> distinct(Issuer.identityAwareProxy(), 1)),
                new Job("V4-repeated", "op/s", last -> repeated(Issuer.google(), THREADS)),
                new Job("V4-distinct", "op/s", last -> distinct(Issuer.google(), THREADS)),
                new Job("G-10", "op/s", last -> grown(10)),
                new Job("G-1000", "op/s", last -> grown(1_000)),
                new Job("G-100000", "op/s", last -> grown(100_000)));
    }

    /** The same token again and again. */
    private static List<Job.Contender> repeated(Issuer issuer, int threads) throws Exception {
        String token = issuer.tokens(1).get(0);
        List<Job.Contender> contenders = new ArrayList<>();
        for (String name : Peer.NAMES) {
            Peer.Receiver receiver = Peer.named(name).receiver(issuer.policy());
            contenders.add(new Job.Contender(name, name, Job.rate(threads, turn -> checked(receiver, token))));
        }
        return contenders;
    }

    /**
     * Different tokens in turn. After all of them comes a new receiver, so that none has seen a token before; but one
     * contender keeps its receiver, which remembers them.
     */
    private static List<Job.Contender> distinct(Issuer issuer, int threads) throws Exception {
        List<String> tokens = issuer.tokens(DISTINCT);
        List<Job.Contender> contenders = new ArrayList<>();
        for (String name : Peer.NAMES) {
            String label = name.equals("gatepass") ? "gatepass, every token new" : name;
            contenders.add(new Job.Contender(label, name, Job.rate(threads, new FirstSight(name, issuer, tokens))));
        }
        Peer.Receiver remembering = new GatepassPeer().receiver(issuer.policy());
        contenders.add(new Job.Contender("gatepass", "gatepass",
                Job.rate(threads, turn -> checked(remembering, tokens.get(turn % DISTINCT)))));
        return contenders;
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
    private static List<Job.Contender> grown(int size) throws Exception {
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
        return List.of(
                new Job.Contender("gatepass", "gatepass",
                        Job.rate(turn -> checked(receiver, tokens.get(size - 1 - turn % LAST)))),
                new Job.Contender("gatepass, tokens to send", "gatepass",
                        Job.rate(turn -> source.fetchSelfSignedJwt(audience(size - 1 - turn % LAST)))));
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
