import dev.gatepass.Claims;
import dev.gatepass.Verifier;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A process that verifies tokens and prints by how many bytes it has grown: its resident memory, and the part of the heap
 * that is in use. The heap is resident from the start ({@link #JVM_OPTIONS}), so nothing is counted twice.
 */
public final class Remembering {
    /** The contender who also reads the claims of each token, and so has them twice: as text and as objects. */
    static final String CLAIMS_READ = "gatepass, claims read";
    /** So many that what classes and compiled code need is there before the growth is measured. */
    static final int WARM_UP = 1_000;
    static final int TOKENS = 10_000;
    static final List<String> JVM_OPTIONS =
            List.of("-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

    private Remembering() {}

    public static void main(String[] arguments) throws Exception {
        List<String> material = Files.readAllLines(Path.of(arguments[1]));
        Policy policy = Policy.read(material);
        List<String> tokens = new ArrayList<>(Policy.readTokens(material));
        Verifier verifier = Verifier.builder().audience(policy.audience()).keys(policy.keySet())
                .rememberedBytes(Long.MAX_VALUE).build();
        boolean reads = arguments[0].equals(CLAIMS_READ);
        for (String token : tokens.subList(0, WARM_UP)) {
            verify(verifier, token, reads);
        }
        long before = held();
        for (String token : tokens.subList(WARM_UP, WARM_UP + TOKENS)) {
            verify(verifier, token, reads);
        }
        System.out.println(held() - before);
        // What is measured is still in use.
        verify(verifier, tokens.get(WARM_UP), reads);
    }

    private static void verify(Verifier verifier, String token, boolean reads) {
        Claims claims = verifier.verify(token);
        if (reads && !Issuer.EMAIL.equals(claims.email())) {
            throw new AssertionError("the e-mail is " + claims.email());
        }
    }

    private static long held() throws IOException {
        System.gc();
        long resident = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:")).mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .sum();
        return resident * 1024 + ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
