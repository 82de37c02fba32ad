package dev.gatepass;

import static dev.gatepass.Vectors.list;
import static dev.gatepass.Vectors.members;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatepass.testing.Emulator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every kind of credentials fetches the tokens that it should from the emulator, and shows no secret meanwhile, nor
 * when an endpoint that it needs refuses.
 */
class CredentialMatrixTest {
    private static final String SUPPLIED = "subjectTokenOfTheSupplier";

    @TempDir
    private static Path folder;

    @BeforeAll
    static void trustTheEmulator() throws Exception {
        Emulators.trust(folder);
    }

    @AfterAll
    static void trustAsBefore() {
        Emulators.distrust();
    }

    @TestFactory
    Stream<DynamicTest> rows() throws IOException {
        Map<String, Object> matrix = Vectors.read("credentials/matrix.json");
        assertFalse(list(matrix, "rows").isEmpty());
        return list(matrix, "rows").stream().map(Vectors::members).map(row -> DynamicTest.dynamicTest(
                (String) row.get("name"), () -> new Row(matrix, row, Files.createTempDirectory(folder, "row")).run()));
    }

    private static final class Row {
        private final Emulator emulator = Emulators.fresh();
        private final String audience;
        private final String scope;
        private final Map<String, Object> row;
        private final Map<String, String> environment = new HashMap<>(emulator.environment());
        /** What nothing may show. */
        private final List<String> secrets = new ArrayList<>(List.of(SUPPLIED));

        Row(Map<String, Object> matrix, Map<String, Object> row, Path files) throws IOException {
            this.row = row;
            audience = (String) matrix.get("audience");
            scope = (String) matrix.get("scope");
            members(row.get("env")).forEach((name, value) -> environment.put(name, ((String) value)
                    .replace("{emulator}", emulator.url().toString()).replace("{stem}", files.resolve("credentials").toString())));
            Secrets.ofReply(Map.of("values", environment)).forEach(secrets::add);
            if (row.get("key") != null) {
                Path file = files.resolve("credentials.json");
                Stream<String> options = list(row, "key").stream().map(String.class::cast);
                emulator.credentialFile(
                        Stream.concat(options, Stream.of("--out", file.toString())).toArray(String[]::new));
                environment.put("GOOGLE_APPLICATION_CREDENTIALS", file.toString());
                try (Stream<Path> written = Files.list(files)) {
                    written.forEach(each -> Secrets.in(read(each)).forEach(secrets::add));
                }
            }
        }

        void run() {
            TokenSource source = builder().build();
            Optional<String> idToken;
            Optional<String> accessToken;
            try (Logs logs = new Logs()) {
                idToken = fetch("id_token", () -> source.fetchIdToken(audience));
                accessToken = fetch("access_token", () -> source.fetchAccessToken(scope));
                emulator.paths().forEach(this::refuse);
                Secrets.assertNotShown(secrets, logs.toString());
            }
            Secrets.assertNotShown(secrets, List.of(source, builder()).toString());
            idToken.ifPresent(this::assertSender);
            accessToken.ifPresent(this::assertCaller);
        }

        private TokenSource.Builder builder() {
            TokenSource.Builder builder = TokenSource.builder().environment(environment::get);
            if (row.get("options") != null) {
                members(row.get("options")).forEach(builder::with);
            }
            if (row.get("supplier") instanceof String name) {
                builder.supplier(name, request -> SUPPLIED);
            }
            return builder;
        }

        /** The token; none where the row says that there is none, and with which code. */
        private Optional<String> fetch(String kind, Supplier<String> fetch) {
            Object code = members(row.get(kind)).get("error");
            if (code != null) {
                assertEquals(code, failure(fetch::get).code().name());
                return Optional.empty();
            }
            String token = fetch.get();
            Secrets.in(token).forEach(secrets::add);
            return Optional.of(token);
        }

        private void assertSender(String idToken) {
            Verifier verifier = Verifier.builder().google().audience(audience).keysUrl(emulator.keysUrl()).build();
            assertEquals(row.get("id_token"), Map.of("email", verifier.verify(idToken).email()));
        }

        private void assertCaller(String accessToken) {
            Map<String, Object> info = emulator.tokenInfo(accessToken);
            members(row.get("access_token")).forEach((name, value) -> assertEquals(value, info.get(name), name));
        }

        /** An endpoint refuses: who needs it fails, and says nothing that it should not. */
        private void refuse(String path) {
            Emulators.fresh().fault(Map.of(
                    "path", path, "times", 100, "status", 400, "body", Map.of("error", "invalid_grant")));
            TokenSource source = builder().build();
            List<Supplier<String>> fetches =
                    List.of(() -> source.fetchIdToken(audience), () -> source.fetchAccessToken(scope));
            for (Supplier<String> fetch : fetches) {
                try {
                    Secrets.in(fetch.get()).forEach(secrets::add);
                } catch (GatepassException refused) {
                    Secrets.assertNotShown(secrets, Secrets.shownBy(refused));
                }
            }
            Emulators.fresh();
        }

        private GatepassException failure(Runnable fetch) {
            GatepassException failure = assertThrows(GatepassException.class, fetch::run);
            Secrets.assertNotShown(secrets, Secrets.shownBy(failure));
            return failure;
        }

        private static String read(Path file) {
            try {
                return Files.readString(file);
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }
}
