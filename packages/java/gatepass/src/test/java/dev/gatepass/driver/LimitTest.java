package dev.gatepass.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A step's limit ends its work; that of requests and programs is in their own tests. */
class LimitTest {
    private static final Bounds BOUNDS = new Bounds(1_000, 100);

    @TempDir
    private Path folder;

    /** A pipe into which somebody might write some day, as a file on a mount that hangs. */
    @Test
    void aFileThatCannotBeReadInTime() throws Exception {
        Path pipe = folder.resolve("pipe");
        assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
        Process writer = new ProcessBuilder("sh", "-c", "exec sleep 600 > '" + pipe + "'").start();
        try {
            Map<String, Object> reply = TextFile.read(Map.of("path", pipe.toString(), "timeout_ms", 300L), BOUNDS);
            assertEquals("timeout", reply.get("kind"), reply::toString);
        } finally {
            writer.destroyForcibly();
        }
    }

    @Test
    void filesAreReadOrTheSystemsReasonIsGiven() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "\u20ac");
        assertEquals(Reply.text("\u20ac"), read(file.toString()));
        Files.write(file, new byte[1_001]);
        assertEquals("too_large", read(file.toString()).get("kind"));
        assertEquals("not_found", read(folder.resolve("none").toString()).get("kind"));
        assertEquals(Reply.failed("other", "Is a directory"), read(folder.toString()));
        assertEquals(Reply.failed("other", "Not a directory"), read(file + "/below"));
        assertTrue(((String) read("nul\0hush").get("message")).startsWith("not a path"));
    }

    @Test
    void aSupplierThatDoesNotReturnIsInterrupted() throws Exception {
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        Suppliers suppliers = new Suppliers(Map.of("vault", (audience, type) -> {
            try {
                new CountDownLatch(1).await();
                return "never";
            } catch (InterruptedException expected) {
                interrupted.complete(true);
                throw expected;
            }
        }));
        Map<String, Object> reply = suppliers.supply(
                Map.of("supplier", "vault", "audience", "a", "token_type", "t", "timeout_ms", 200L));
        assertEquals(Reply.failed("timeout", "it has not returned in time"), reply);
        assertTrue(interrupted.join());
        assertEquals(List.of(), List.copyOf(Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("gatepass") && !thread.isDaemon()).toList()));
    }

    private static Map<String, Object> read(String path) throws InterruptedException {
        return TextFile.read(Map.of("path", path, "timeout_ms", 30_000L), BOUNDS);
    }
}
