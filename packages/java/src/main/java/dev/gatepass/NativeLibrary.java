package dev.gatepass;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;

/** Finds and loads the native library: the file that a system property names, or the one in the jar. */
final class NativeLibrary {
    private static final String PATH_PROPERTY = "gatepass.native.path";

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
        // A file of a new name, which only this user may write to: nobody can slip in another library.
        Path copy = Files.createTempFile("gatepass-", "-" + file);
        try {
            Files.copy(library, copy, StandardCopyOption.REPLACE_EXISTING);
            System.load(copy.toString());
        } finally {
            // Once it is loaded only Windows needs the file still.
            if (!copy.toFile().delete()) {
                copy.toFile().deleteOnExit();
            }
        }
    }

    /** The folder in the jar, named as the build names it. */
    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        return (os.startsWith("windows") ? "windows" : os.startsWith("mac") ? "macos" : os)
                + "-" + (arch.equals("amd64") ? "x86_64" : arch);
    }
}
