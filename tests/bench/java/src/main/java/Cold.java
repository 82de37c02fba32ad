import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A process that verifies one token by the peer that it is told, or none, and prints the most memory that it held. */
public final class Cold {
    /** The name of the peer that is none. */
    static final String NOBODY = "empty process";

    private Cold() {}

    public static void main(String[] arguments) throws Exception {
        List<String> material = Files.readAllLines(Path.of(arguments[1]));
        if (!arguments[0].equals(NOBODY)) {
            Peer.named(arguments[0]).receiver(Policy.read(material)).email(Policy.readTokens(material).get(0));
        }
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                System.out.println(line.replaceAll("\\D", "")); // In kB.
            }
        }
    }
}
