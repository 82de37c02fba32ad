package dev.gatepass.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatepass.Claims;
import dev.gatepass.CredentialsException;
import dev.gatepass.Emulators;
import dev.gatepass.ErrorCode;
import dev.gatepass.TokenSource;
import dev.gatepass.Verifier;
import dev.gatepass.driver.Reply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Real programs, and what is handed to the core about each. */
class ChildProcessTest {
    private static final long LONG = 30_000;
    private static final Bounds BOUNDS = new Bounds(1 << 20, 1 << 16);

    @TempDir
    private Path folder;

    @Test
    void argumentsAndVariablesArriveAndStandardOutputComesBack() throws Exception {
        Path program = script("cat; echo \"$1|$NAME|${PATH:+inherited}\"; echo hush >&2");
        assertEquals(
                exited(0, "a b $NAME|\u20ac|inherited\n", "hush\n"),
                run(List.of(program.toString(), "a b $NAME"), List.of(List.of("NAME", "\u20ac")), LONG));
    }

    @Test
    void outputThatIsNoTextIsReplaced() throws Exception {
        assertEquals(exited(0, "\ufffd"), run(script("printf '\\377'")));
    }

    @ParameterizedTest
    @CsvSource({"exit 0, 0", "exit 3, 3", "kill -KILL $$, 137"})
    void theStatusComesBack(String end, int status) throws Exception {
        assertEquals(exited(status, ""), run(script(end)));
    }

    @Test
    void outputOfAMegabyteIsHandedOverAndNoMore() throws Exception {
        String lines = "yes 0123456789abcde | head -c ";
        assertEquals("exited", run(script(lines + BOUNDS.bodyBytes())).get("reply"));
        assertFailed("too_large", run(script(lines + (BOUNDS.bodyBytes() + 1) + "; sleep 600")));
    }

    @Test
    void ofStandardErrorTheBeginningIsHandedOver() throws Exception {
        String said = (String) run(script("yes e | head -c 1000000 >&2; echo out")).get("stderr");
        assertEquals(BOUNDS.stderrBytes(), said.length());
    }

    /** Its parent has ended, so that nobody finds it by its family; it holds the pipe. */
    @Test
    void aGrandchildEndsWithTheLimitOfItsParent() throws Exception {
        Path started = folder.resolve("started");
        Path program = script("sleep 600 & echo $! > started.part; mv started.part " + started);
        assertFailed("timeout", run(List.of(program.toString()), List.of(), 1_500));
        long pid = Long.parseLong(Files.readString(started).strip());
        ProcessHandle.of(pid).ifPresent(grandchild -> grandchild.onExit().join()); // JUnit's timeout bounds this.
    }

    @Test
    void aProgramThatTakesTooLongIsEnded() throws Exception {
        assertFailed("timeout", run(List.of(script("exec sleep 600").toString()), List.of(), 100));
    }

    @Test
    void whoIsInterruptedEndsTheProgramAndAllThatItHasStarted() throws Exception {
        Path started = folder.resolve("started");
        Path program = script("sleep 600 & echo $$ $! > started.part; mv started.part " + started + "; wait");
        FutureTask<Object> call = new FutureTask<>(() -> run(program));
        Thread thread = new Thread(call);
        thread.start();
        while (!Files.exists(started)) { // JUnit's timeout bounds this.
            Thread.onSpinWait();
        }
        List<ProcessHandle> processes = Stream.of(Files.readString(started).trim().split(" "))
                .map(pid -> ProcessHandle.of(Long.parseLong(pid)).orElseThrow()).toList();
        thread.interrupt();
        ExecutionException interrupted = assertThrows(ExecutionException.class, call::get);
        assertEquals(InterruptedException.class, interrupted.getCause().getClass());
        for (ProcessHandle process : processes) {
            process.onExit().get(LONG, TimeUnit.MILLISECONDS);
        }
    }

    @Test
    void aProgramThatCannotBeStarted() throws Exception {
        assertFailed("not_found", run(folder.resolve("nowhere")));
        assertFailed("permission_denied", run(Files.writeString(folder.resolve("text"), "#!/bin/sh\n")));
        assertFailed("not_found", run(List.of("no\0where"), List.of(), LONG));
        assertFailed("other", run(executable("#!" + folder.resolve("nowhere") + "\n")));
    }

    @Test
    void aVariableThatCannotBeSetIsNotQuoted() throws Exception {
        Map<String, Object> reply = run(List.of(script("").toString()), List.of(List.of("NAME", "hush\0")), LONG);
        assertFailed("other", reply);
        assertFalse(reply.toString().contains("hush"), reply::toString);
    }

    /** By the public API: the emulator's own program gives the subject token. */
    @Test
    void aProgramsTokenIsExchanged() {
        String file = Emulators.fresh().credentialFile(
                "--type", "external_account", "--email", "federated@project.iam.gserviceaccount.com",
                "--source", "executable");
        TokenSource.Builder source = TokenSource.builder().credentialsJson(file)
                .trustedEndpoints(Emulators.fresh().url().getAuthority());
        Claims claims = Verifier.builder().google().audience("https://a.example")
                .keysUrl(Emulators.fresh().keysUrl()).build()
                .verify(source.environment(Map.of("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")::get)
                        .build().fetchIdToken("https://a.example"));
        assertEquals("federated@project.iam.gserviceaccount.com", claims.email());

        TokenSource notAllowed = source.environment(name -> null).build();
        CredentialsException refused =
                assertThrows(CredentialsException.class, () -> notAllowed.fetchIdToken("https://a.example"));
        assertEquals(ErrorCode.EXECUTABLE_NOT_ALLOWED, refused.code());
    }

    private Path script(String lines) throws IOException {
        return executable("#!/bin/sh\ncd '" + folder + "'\n" + lines + "\n");
    }

    private Path executable(String text) throws IOException {
        Path program = Files.createTempFile(folder, "program", "");
        Files.writeString(program, text);
        return Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    }

    private static Map<String, Object> run(Path program) throws InterruptedException {
        return run(List.of(program.toString()), List.of(), LONG);
    }

    private static Map<String, Object> run(List<String> command, List<List<String>> variables, long timeoutMs)
            throws InterruptedException {
        return ChildProcess.run(Map.of("argv", command, "env", variables, "timeout_ms", timeoutMs), BOUNDS);
    }

    private static Map<String, Object> exited(int status, String stdout) {
        return exited(status, stdout, "");
    }

    private static Map<String, Object> exited(int status, String stdout, String stderr) {
        return Map.of("reply", "exited", "status", status, "stdout", stdout, "stderr", stderr);
    }

    private static void assertFailed(String kind, Map<String, Object> reply) {
        assertEquals("failed", reply.get("reply"));
        assertEquals(kind, reply.get("kind"), reply::toString);
    }
}
