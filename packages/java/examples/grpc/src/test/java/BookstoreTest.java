import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatepass.testing.Emulator;
import dev.gatepass.testing.EmulatorExtension;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What the README says to do on this machine. */
@ExtendWith(EmulatorExtension.class)
class BookstoreTest {
    @TempDir
    private Path folder;

    @Test
    @Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void theClientCallsTheServerAgainAndAgain(Emulator emulator) throws IOException, InterruptedException {
        Path authority = Files.writeString(folder.resolve("ca.pem"), emulator.run("emulator", "ca"));
        Path trust = folder.resolve("ca.p12");
        assertEquals(0, start(emulator, "keytool", "-importcert", "-noprompt", "-file", authority.toString(),
                "-keystore", trust.toString(), "-storepass", "changeit").waitFor());
        Path certificate = folder.resolve("server.pem");
        Path key = folder.resolve("server-key.pem");
        emulator.run("emulator", "certificate", "--cert", certificate.toString(), "--key", key.toString());
        Process server = java(emulator, "BookstoreServer", "0", "https://localhost",
                certificate.toString(), key.toString());
        Process client = null;
        try {
            String port = server.inputReader().readLine().replace("listening on ", "");
            client = java(emulator, "-Djavax.net.ssl.trustStore=" + trust,
                    "-Djavax.net.ssl.trustStorePassword=changeit", "Client", "localhost:" + port, "1");
            for (int call = 0; call < 3; call++) {
                assertEquals("Dune for default@emulator.iam.gserviceaccount.com", client.inputReader().readLine());
            }
        } finally {
            server.destroy();
            if (client != null) {
                client.destroy();
            }
        }
    }

    private static Process java(Emulator emulator, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("java", "-cp", System.getProperty("java.class.path")));
        command.addAll(List.of(arguments));
        return start(emulator, command.toArray(String[]::new));
    }

    private static Process start(Emulator emulator, String... command) throws IOException {
        String program = Path.of(System.getProperty("java.home"), "bin", command[0]).toString();
        List<String> all = new ArrayList<>(List.of(command));
        all.set(0, program);
        ProcessBuilder builder = new ProcessBuilder(all).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().putAll(emulator.environment());
        return builder.start();
    }
}
