package dev.gatepass;

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Google's endpoints on this machine: one emulator for all tests, which ends with this JVM. */
public final class Emulator {
    /** The path of ID tokens on the metadata server. */
    public static final String IDENTITY = "/computeMetadata/v1/instance/service-accounts/default/identity";
    /** The path of Google's keys. */
    public static final String KEYS = "/oauth2/v3/certs";

    private static final String PROGRAM = "GATEPASS_CLI";
    private static final Emulator SHARED = new Emulator();

    private final HttpClient http = HttpClient.newHttpClient();
    private final Map<String, String> environment = new HashMap<>();
    private final String mtlsUrl;
    private final URI url;

    private Emulator() {
        try {
            // Its standard input stays open as long as this JVM lives.
            Process process = start("emulator", "--port", "0", "--mtls-port", "0", "--exit-with-stdin");
            BufferedReader output =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            String line = output.readLine();
            for (; line != null && line.startsWith("export "); line = output.readLine()) {
                String[] variable = line.substring("export ".length()).split("=", 2);
                environment.put(variable[0], variable[1]);
            }
            mtlsUrl = after("# mTLS on ", line);
            url = URI.create(after("# listening on ", output.readLine()));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** The emulator, with no request counted and no fault ordered. */
    public static Emulator fresh() {
        SHARED.control("requests:reset", Map.of());
        SHARED.control("fault:clear", Map.of());
        return SHARED;
    }

    /** A source that finds the emulator as its metadata server. */
    public TokenSource.Builder metadata() {
        return TokenSource.builder().environment(environment::get);
    }

    /** A source with the text of a credential file, which may run programs. */
    public TokenSource.Builder credentials(String file) {
        Map<String, String> allowing = new HashMap<>(environment);
        allowing.put("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1");
        return TokenSource.builder().credentialsJson(file).environment(allowing::get);
    }

    /** A source with this service account's key. */
    public TokenSource.Builder account(String email) {
        return TokenSource.builder().credentialsJson(keyFile(email)).trustedEndpoints(url.getAuthority());
    }

    /** The text of a service account's key file. */
    public String keyFile(String email) {
        return credentialFile("--email", email);
    }

    /** The text of a credential file; the emulator's README says with which options it is of which type. */
    public String credentialFile(String... options) {
        List<String> arguments =
                new ArrayList<>(List.of("emulator", "key", "--emulator", url.toString(), "--mtls", mtlsUrl));
        arguments.addAll(List.of(options));
        return run(arguments.toArray(String[]::new));
    }

    /** Has Java trust the emulator's TLS from now on: a store in this folder with its authority. */
    public void trust(Path folder) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("emulator", CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(run("emulator", "ca").getBytes(StandardCharsets.UTF_8))));
        Path file = folder.resolve("trust.p12");
        try (OutputStream stream = Files.newOutputStream(file)) {
            store.store(stream, "changeit".toCharArray());
        }
        System.setProperty("javax.net.ssl.trustStore", file.toString());
        System.setProperty("javax.net.ssl.trustStorePassword", "changeit");
    }

    /** Has Java trust whom it trusted before. */
    public static void distrust() {
        System.clearProperty("javax.net.ssl.trustStore");
        System.clearProperty("javax.net.ssl.trustStorePassword");
    }

    /** What a program needs in its environment to find the emulator. */
    public Map<String, String> environment() {
        return Map.copyOf(environment);
    }

    public URI url() {
        return url;
    }

    public String hostAndPort() {
        return url.getAuthority();
    }

    public URI keysUrl() {
        return url.resolve(KEYS);
    }

    public URI iapKeysUrl() {
        return url.resolve("/iap/verify/public_key-jwk");
    }

    /** Signs an ID token by this order; the emulator's README says what may stand in it. */
    public String mint(Map<String, Object> order) {
        return (String) control("mint", order).get("token");
    }

    /** Delivers a request as a sender of Google's does; what the program prints about it. */
    public String push(int expectedExit, String... options) {
        List<String> arguments = new ArrayList<>(List.of("emulator", "push", "--emulator", url.toString()));
        arguments.addAll(List.of(options));
        return run(expectedExit, arguments.toArray(String[]::new));
    }

    /** How often a path was asked for. */
    public long requests(String path) {
        return (Long) counts().getOrDefault(path, 0L);
    }

    /** The paths that were asked for. */
    public Set<String> paths() {
        return counts().keySet();
    }

    /** What the emulator says about an access token that it has issued. */
    public Map<String, Object> tokenInfo(String accessToken) {
        return ask("/tokeninfo?access_token=" + accessToken, null);
    }

    /** Orders what happens to the next requests for a path; the emulator's README says what may stand in it. */
    public void fault(Map<String, Object> order) {
        control("fault", order);
    }

    private Map<String, Object> counts() {
        return Vectors.members(control("requests", null).get("counts"));
    }

    private Map<String, Object> control(String what, Map<String, Object> order) {
        return ask("/emulator/v1/" + what, order);
    }

    private Map<String, Object> ask(String target, Map<String, Object> order) {
        HttpRequest.Builder request = HttpRequest.newBuilder(url.resolve(target));
        if (order != null) {
            request.POST(BodyPublishers.ofByteArray(Json.write(order)));
        }
        try {
            HttpResponse<byte[]> response = http.send(request.build(), BodyHandlers.ofByteArray());
            if (response.statusCode() >= 300) {
                throw new AssertionError(target + ": " + new String(response.body(), StandardCharsets.UTF_8));
            }
            return response.body().length == 0 ? Map.of() : Json.readMembers(response.body());
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    private static String after(String beginning, String line) {
        if (line == null || !line.startsWith(beginning)) {
            throw new AssertionError("the emulator says " + line);
        }
        return line.substring(beginning.length());
    }

    /** What the program prints. */
    private static String run(String... arguments) {
        return run(0, arguments);
    }

    private static String run(int expectedExit, String... arguments) {
        try {
            Process process = start(arguments);
            String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int exit = process.waitFor();
            if (exit != expectedExit) {
                throw new AssertionError(List.of(arguments) + " has ended with " + exit + ": " + printed);
            }
            return printed;
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    private static Process start(String... arguments) throws IOException {
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
