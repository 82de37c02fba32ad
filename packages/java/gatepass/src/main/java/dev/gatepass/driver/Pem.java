package dev.gatepass.driver;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A block of a PEM file (RFC 7468).
 *
 * @param label such as {@code CERTIFICATE}
 * @param der what it holds
 */
record Pem(String label, byte[] der) {
    /** No file of certificates or keys is longer. */
    private static final int LIMIT = 1024 * 1024;
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \\1-----", Pattern.DOTALL);

    /** The blocks of a file; of a file that is larger than any of a certificate, those at its beginning. */
    static List<Pem> read(String path) throws IOException {
        try (InputStream file = Files.newInputStream(Path.of(path))) {
            String text = new String(file.readNBytes(LIMIT), StandardCharsets.ISO_8859_1);
            return BLOCK.matcher(text).results()
                    .map(block -> new Pem(block.group(1), Base64.getMimeDecoder().decode(block.group(2)))).toList();
        } catch (IOException | InvalidPathException failure) {
            throw new UnusableFile(path, "cannot be read (" + failure.getClass().getSimpleName() + ")");
        } catch (IllegalArgumentException malformed) {
            throw new UnusableFile(path, "is no PEM file");
        }
    }

    /** What it holds may be a private key. */
    @Override
    public String toString() {
        return "Pem[" + label + "]";
    }

    /** A file that does not hold what it should; the message names it. */
    static final class UnusableFile extends IOException {
        private static final long serialVersionUID = 1L;

        UnusableFile(String path, String fault) {
            super(path + " " + fault);
        }
    }
}
