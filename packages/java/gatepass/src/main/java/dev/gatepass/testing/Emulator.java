package dev.gatepass.testing;

import dev.gatepass.TokenSource;
import dev.gatepass.Verifier;
import dev.gatepass.json.Json;
import dev.gatepass.json.Utf8;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A running {@code gatepass emulator}: a metadata server, token endpoints and key sets on the loopback interface. What may
 * be in an order of {@link #mint} or {@link #fault}, the emulator's README says.
 *
 * <p>It ends when it is closed, or else with this JVM.
 */
public final class Emulator implements AutoCloseable {
    /** The variable that names the {@code gatepass} program; without it, the program is looked for on the PATH. */
    public static final String PROGRAM_VARIABLE = "GATEPASS_PROGRAM";

    private final String program;
    private final Process process;
    private final Map<String, String> environment = new HashMap<>();
    private final URI mtlsUrl;
    private final URI url;
    private volatile Duration clockOffset = Duration.ZERO;

    private Emulator(String program, List<String> options) {
        this.program = program;
        try {
            List<String> arguments =
                    new ArrayList<>(List.of("emulator", "--port", "0", "--mtls-port", "0", "--exit-with-stdin"));
            arguments.addAll(options);
            process = process(arguments); // Its standard input stays open as long as this JVM lives.
            BufferedReader output =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            String line = output.readLine();
            for (; line != null && line.startsWith("export "); line = output.readLine()) {
                String[] variable = line.substring("export ".length()).split("=", 2);
                environment.put(variable[0], variable[1]);
            }
            mtlsUrl = URI.create(after("# mTLS on ", line));
            url = URI.create(after("# listening on ", output.readLine()));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /**
     * Starts the program that the environment variable {@value #PROGRAM_VARIABLE} names, or {@code gatepass} on the PATH.
     *
     * @param options of {@code gatepass emulator}, such as {@code --lifetime}; it listens on free ports without any
     * @return an emulator that listens
     * @throws IllegalStateException if there is no such program
     */
    public static Emulator start(String... options) {
        String named = System.getenv(PROGRAM_VARIABLE);
        return new Emulator(named != null && !named.isEmpty() ? named : onPath(), List.of(options));
    }

    /**
     * Starts this program.
     *
     * @param program the {@code gatepass} program
     * @param options of {@code gatepass emulator}
     * @return an emulator that listens
     */
    public static Emulator start(Path program, String... options) {
        return new Emulator(program.toAbsolutePath().toString(), List.of(options));
    }

    /**
     * What a program needs in its environment to find the emulator where it would find Google.
     *
     * @return variables; a {@link ProcessBuilder#environment()} takes them
     */
    public Map<String, String> environment() {
        return Map.copyOf(environment);
    }

    /**
     * A source of tokens that finds the emulator as its metadata server.
     *
     * @return a builder for more options
     */
    public TokenSource.Builder tokenSource() {
        return TokenSource.builder().environment(environment::get).clock(clock());
    }

    /**
     * A source of tokens with these credentials.
     *
     * @param credentials the text of a credential file, such as {@link #credentialFile} gives
     * @return a builder for more options
     */
    public TokenSource.Builder tokenSource(String credentials) {
        return tokenSource().credentialsJson(credentials);
    }

    /**
     * A source of tokens with the key of a service account.
     *
     * @param email any: the emulator knows every account that can be named
     * @return a builder for more options
     */
    public TokenSource.Builder account(String email) {
        return tokenSource(credentialFile("--email", email));
    }

    /**
     * A verifier of ID tokens of the emulator.
     *
     * @return a builder, which lacks an audience
     */
    public Verifier.Builder verifier() {
        return Verifier.builder().google().keysUrl(keysUrl()).environment(environment::get).clock(clock());
    }

    /**
     * The text of a credential file.
     *
     * @param options of {@code gatepass emulator key}, such as {@code --email}
     * @return JSON
     */
    public String credentialFile(String... options) {
        return run(Stream.concat(
                Stream.of("emulator", "key", "--emulator", url.toString(), "--mtls", mtlsUrl.toString()),
                Stream.of(options)).toArray(String[]::new));
    }

    /**
     * Signs an ID token.
     *
     * @param order such as {@code Map.of("claims", Map.of("aud", audience))}
     * @return a JWT
     */
    public String mint(Map<String, Object> order) {
        return (String) control("mint", order).get("token");
    }

    /**
     * Orders what happens to the next requests for a path.
     *
     * @param order such as {@code Map.of("path", "/token", "status", 503, "times", 2)}
     */
    public void fault(Map<String, Object> order) {
        control("fault", order);
    }

    /**
     * Sets the emulator's clock, and that of every source and verifier that this object has made.
     *
     * @param offset how far it is fast; negative, how far it is slow
     */
    public void setClockOffset(Duration offset) {
        control("clock", Map.of("offset_seconds", offset.toSeconds()));
        clockOffset = offset;
    }

    /**
     * The emulator's clock.
     *
     * @return a clock that goes with {@link #setClockOffset}
     */
    public Clock clock() {
        return new OffsetClock(() -> clockOffset);
    }

    /** Signs with new keys from now on. */
    public void rotateKeys() {
        control("keys:rotate", Map.of());
    }

    /** Forgets all faults and counts, and sets the clock right. */
    public void reset() {
        control("fault:clear", Map.of());
        control("requests:reset", Map.of());
        setClockOffset(Duration.ZERO);
    }

    /**
     * How often a path was asked for since the last {@link #reset}.
     *
     * @param path without the query
     * @return the number of requests
     */
    public long requests(String path) {
        return (Long) counts().getOrDefault(path, 0L);
    }

    /**
     * The paths that were asked for since the last {@link #reset}.
     *
     * @return paths without queries
     */
    public Set<String> paths() {
        return counts().keySet();
    }

    /**
     * What the emulator knows about an access token that it has issued.
     *
     * @param accessToken the token
     * @return such as {@code email} and {@code scope}
     */
    public Map<String, Object> tokenInfo(String accessToken) {
        return ask("/tokeninfo?access_token=" + accessToken, null);
    }

    /**
     * Where it listens.
     *
     * @return an {@code http} URL with a loopback address
     */
    public URI url() {
        return url;
    }

    /**
     * Where it listens over TLS, with a certificate of its own authority: {@code gatepass emulator ca}.
     *
     * @return an {@code https} URL with a loopback address
     */
    public URI tlsUrl() {
        return mtlsUrl;
    }

    /**
     * Where the keys of its ID tokens are.
     *
     * @return the URL of a JWK set
     */
    public URI keysUrl() {
        String published = (String) ask("/.well-known/openid-configuration", null).get("jwks_uri");
        return url.resolve(URI.create(published).getRawPath());
    }

    /**
     * Runs the {@code gatepass} program.
     *
     * @param arguments such as {@code emulator}, {@code ca}
     * @return what it prints
     * @throws IllegalStateException if it does not exit with 0
     */
    public String run(String... arguments) {
        try {
            Process run = process(List.of(arguments));
            String printed = Utf8.text(run.getInputStream().readAllBytes());
            int exit = run.waitFor();
            if (exit != 0) {
                throw new IllegalStateException(
                        List.of(arguments) + " has exited with " + exit + ": " + printed);
            }
            return printed;
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    /** Ends it. */
    @Override
    public void close() {
        process.destroy();
        try {
            process.waitFor();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> counts() {
        return (Map<String, Object>) control("requests", null).get("counts");
    }

    private Map<String, Object> control(String what, Map<String, Object> order) {
        return ask("/emulator/v1/" + what, order);
    }

    private Map<String, Object> ask(String target, Map<String, Object> order) {
        try {
            HttpURLConnection connection =
                    (HttpURLConnection) url.resolve(target).toURL().openConnection(Proxy.NO_PROXY);
            if (order != null) {
                connection.setDoOutput(true);
                connection.getOutputStream().write(Json.write(order));
            }
            boolean refused = connection.getResponseCode() >= 300;
            byte[] answer =
                    (refused ? connection.getErrorStream() : connection.getInputStream()).readAllBytes();
            if (refused) {
                throw new IllegalArgumentException(target + ": " + Utf8.text(answer));
            }
            return answer.length == 0 ? Map.of() : Json.readMembers(answer);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private Process process(List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(program));
        command.addAll(arguments);
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    private static String after(String beginning, String line) {
        if (line == null || !line.startsWith(beginning)) {
            throw new IllegalStateException("the emulator printed " + (line == null ? "nothing" : line)
                    + ", expected a line that begins with " + beginning);
        }
        return line.substring(beginning.length());
    }

    private static String onPath() {
        String path = System.getenv("PATH") == null ? "" : System.getenv("PATH");
        return Pattern.compile(File.pathSeparator, Pattern.LITERAL).splitAsStream(path)
                .flatMap(folder -> Stream.of("gatepass", "gatepass.exe").map(name -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("there is no gatepass program on the PATH: build it with"
                        + " `cargo build -p gatepass-cli` and give its path by " + PROGRAM_VARIABLE));
    }
}
