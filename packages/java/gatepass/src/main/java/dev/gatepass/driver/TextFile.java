package dev.gatepass.driver;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;

/** A file that is read for its text. */
final class TextFile {
    private TextFile() {}

    /** Carries out {@code read_file}. */
    static Map<String, Object> read(Map<String, Object> step, Bounds bounds) throws InterruptedException {
        try {
            // The interruption closes the file. Only opening, on a mount that is gone, knows none: then a thread stays.
            return Limit.hold(step, () -> read((String) step.get("path"), bounds.bodyBytes()), () -> {});
        } catch (TimeoutException late) {
            return Reply.failed("timeout", "the file could not be read in time");
        } catch (ExecutionException failure) {
            return Reply.failed("other", Reply.describe(failure.getCause()));
        }
    }

    private static Map<String, Object> read(String path, int limit) throws IOException {
        try (InputStream file = Files.newInputStream(Path.of(path))) {
            byte[] bytes = file.readNBytes(limit + 1);
            return bytes.length > limit
                    ? Reply.tooLarge(limit) : Reply.text(new String(bytes, StandardCharsets.UTF_8));
        } catch (NoSuchFileException missing) {
            return Reply.failed("not_found", "no such file");
        } catch (AccessDeniedException denied) {
            return Reply.failed("permission_denied", "permission denied");
        } catch (InvalidPathException malformed) {
            return Reply.failed("other", "not a path: " + malformed.getReason()); // Its message quotes the path.
        }
    }
}
