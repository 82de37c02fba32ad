package dev.gatepass;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/** Finds and loads the native library: the file that a system property names, or the one in the jar. */
final class NativeLibrary {
    private static final String PATH_PROPERTY = "gatepass.native.path";
    private static final Set<StandardOpenOption> NEW_FILE =
            EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    private static final Set<PosixFilePermission> OURS =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

    private NativeLibrary() {}

    /** Loads it; why it cannot be loaded, or null. */
    static UnsatisfiedLinkError load() {
        try {
            String path = System.getProperty(PATH_PROPERTY);
            if (path != null) {
                loadFile(Path.of(path).toAbsolutePath(), "the property " + PATH_PROPERTY + " names it; name another");
            } else {
                loadCopy(System.mapLibraryName("gatepass_jni"));
            }
            return null;
        } catch (UnsatisfiedLinkError error) {
            return error;
        }
    }

    private static void loadCopy(String file) {
        Path folder = Path.of(System.getProperty("java.io.tmpdir"));
        Path copy = folder.resolve("gatepass-" + ThreadLocalRandom.current().nextLong(Long.MAX_VALUE) + "-" + file);
        try (InputStream library = NativeLibrary.class.getResourceAsStream("/native/" + platform() + "/" + file)) {
            if (library == null) {
                throw new UnsatisfiedLinkError("this gatepass jar holds no native library for " + platform()
                        + ": build bindings/jni with cargo and give its path by -D" + PATH_PROPERTY);
            }
            // A file that was not there, neither as a link, and that only this user may read or write: nobody can slip in
            // another library, so its name may be guessed. Not Files.createTempFile, whose secure random name takes a
            // quarter of the time to the first token.
            SeekableByteChannel channel = Files.newByteChannel(copy, NEW_FILE, onlyOurs(copy));
            try (OutputStream output = Channels.newOutputStream(channel)) {
                library.transferTo(output);
            }
            loadFile(copy, "gatepass has put it into the temporary folder " + folder
                    + ": if that is mounted noexec, name another by -Djava.io.tmpdir, or the library itself by -D"
                    + PATH_PROPERTY);
        } catch (IOException error) {
            throw new UnsatisfiedLinkError("gatepass cannot write its native library to the temporary folder " + folder
                    + " (" + error + "): name another by -Djava.io.tmpdir, or the library itself by -D" + PATH_PROPERTY);
        } finally {
            // Once it is loaded only Windows needs the file still.
            if (!copy.toFile().delete() && copy.toFile().exists()) {
                copy.toFile().deleteOnExit();
            }
        }
    }

    /** The linker says what is wrong, and not what to do. */
    private static void loadFile(Path file, String advice) {
        try {
            System.load(file.toString());
        } catch (UnsatisfiedLinkError error) {
            throw (UnsatisfiedLinkError) new UnsatisfiedLinkError(
                    "gatepass cannot load its native library: " + error.getMessage() + " (" + advice + ")").initCause(error);
        }
    }

    /** Windows has no such permissions, but a temporary folder for each user. */
    private static FileAttribute<?>[] onlyOurs(Path file) {
        return file.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(OURS)}
                : new FileAttribute<?>[0];
    }

    /** The folder in the jar, named as the build names it. */
    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        return (os.startsWith("windows") ? "windows" : os.startsWith("mac") ? "macos" : os)
                + (os.equals("linux") && isMusl(mappedFiles()) ? "-musl" : "")
                + "-" + (arch.equals("amd64") ? "x86_64" : arch);
    }

    /**
     * Whether a process with these files in its memory runs on musl, as Alpine Linux does, and not on glibc: what is linked
     * against the one does not load into the other. The file system cannot tell, for both may be installed.
     */
    static boolean isMusl(String mappedFiles) {
        return mappedFiles.contains("/ld-musl-");
    }

    private static String mappedFiles() {
        try {
            return Files.readString(Path.of("/proc/self/maps"), StandardCharsets.ISO_8859_1);
        } catch (IOException error) {
            return ""; // No /proc: rare, and so is musl.
        }
    }
}
