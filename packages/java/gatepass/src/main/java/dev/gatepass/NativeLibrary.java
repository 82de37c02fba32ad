package dev.gatepass;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/** Finds and loads the native library: the file that a system property names, or the one in the jar. */
final class NativeLibrary {
    private static final String PATH_PROPERTY = "gatepass.native.path";
    private static final Set<StandardOpenOption> NEW_FILE =
            EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    private static final Set<PosixFilePermission> OURS =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

    private NativeLibrary() {}

    static void load() {
        String path = System.getProperty(PATH_PROPERTY);
        if (path != null) {
            System.load(Path.of(path).toAbsolutePath().toString());
            return;
        }
        String file = System.mapLibraryName("gatepass_jni");
        try (InputStream library = NativeLibrary.class.getResourceAsStream("/native/" + platform() + "/" + file)) {
            if (library == null) {
                throw new UnsatisfiedLinkError("this gatepass jar holds no native library for " + platform()
                        + ": build bindings/jni with cargo and give its path by -D" + PATH_PROPERTY);
            }
            loadCopy(library, file);
        } catch (IOException error) {
            throw new UnsatisfiedLinkError("gatepass cannot write its native library to the temporary folder ("
                    + error + "): give the path of one by -D" + PATH_PROPERTY);
        }
    }

    private static void loadCopy(InputStream library, String file) throws IOException {
        Path copy = Path.of(System.getProperty("java.io.tmpdir"),
                "gatepass-" + ProcessHandle.current().pid() + "-" + System.nanoTime() + "-" + file);
        // A file that was not there, neither as a link, and that only this user may read or write: nobody can slip in
        // another library. Not Files.createTempFile, whose random name takes a quarter of the time to the first token.
        SeekableByteChannel channel = Files.newByteChannel(copy, NEW_FILE, onlyOurs(copy));
        try {
            try (OutputStream output = Channels.newOutputStream(channel)) {
                library.transferTo(output);
            }
            System.load(copy.toString());
        } finally {
            // Once it is loaded only Windows needs the file still.
            if (!copy.toFile().delete()) {
                copy.toFile().deleteOnExit();
            }
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
                + "-" + (arch.equals("amd64") ? "x86_64" : arch);
    }
}
