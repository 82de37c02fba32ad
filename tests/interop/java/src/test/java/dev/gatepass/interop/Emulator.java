package dev.gatepass.interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The emulator of packages/cli, and what a program needs in its environment to find it. */
final class Emulator implements AutoCloseable {
    private static final String PROGRAM = "GATEPASS_CLI";

    final URI url;
    final Map<String, String> environment = new HashMap<>();
    private final Process process;

    Emulator() throws IOException {
        process = run("emulator", "--port", "0", "--exit-with-stdin");
        BufferedReader output =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        String line = output.readLine();
        for (; line != null && line.startsWith("export "); line = output.readLine()) {
            String[] variable = line.substring("export ".length()).split("=", 2);
            environment.put(variable[0], variable[1]);
        }
        String listening = "# listening on ";
        if (line == null || !line.startsWith(listening)) {
            throw new AssertionError("the emulator says " + line);
        }
        url = URI.create(line.substring(listening.length()));
    }

    /** The text of a service account's key file. */
    String keyFile(String email) throws IOException {
        Process key = run("emulator", "key", "--email", email, "--emulator", url.toString());
        return new String(key.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    /** What {@code program}'s main method prints in a JVM whose metadata server is the emulator. */
    String runWithMetadataServer(Class<?> program, String argument) throws IOException, InterruptedException {
        ProcessBuilder java = new ProcessBuilder(
                System.getProperty("java.home") + "/bin/java", "-cp", System.getProperty("java.class.path"),
                program.getName(), argument);
        java.environment().putAll(environment);
        Process child = java.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String printed = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (child.waitFor() != 0) {
            throw new AssertionError(program.getName() + " has failed");
        }
        return printed.trim();
    }

    @Override
    public void close() throws IOException {
        process.getOutputStream().close(); // At which it ends.
    }

    private static Process run(String... arguments) throws IOException {
        String program = System.getenv(PROGRAM);
        if (program == null) {
            throw new AssertionError(PROGRAM + " is not set: run `cargo xtask test`, or build the program by"
                    + " `cargo build -p gatepass-cli` and set " + PROGRAM + " to its absolute path");
        }
        List<String> command = new ArrayList<>(List.of(program));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }
}
