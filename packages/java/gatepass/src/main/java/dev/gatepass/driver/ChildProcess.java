package dev.gatepass.driver;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;

/** A program that is run for what it prints, and that does not outlive the wait for it. */
final class ChildProcess {
    /** What this variable says is in the environment of whatever the program starts, too. */
    private static final String MARK = "GATEPASS_RUN_ID";

    private final Process process;
    private final String mark;
    private final Bounds bounds;
    private volatile boolean ended;

    private ChildProcess(Process process, String mark, Bounds bounds) {
        this.bounds = bounds;
        this.process = process;
        this.mark = mark;
    }

    /** Carries out {@code run}: no shell, and nothing to read. */
    static Map<String, Object> run(Map<String, Object> step, Bounds bounds) throws InterruptedException {
        List<String> command = ((List<?>) step.get("argv")).stream().map(String.class::cast).toList();
        ChildProcess child;
        try {
            child = start(command, (List<?>) step.get("env"), bounds);
        } catch (IOException failure) {
            return notStarted(new File(command.get(0)), failure);
        } catch (IllegalArgumentException malformed) {
            return Reply.failed("other", "a variable cannot be set: malformed"); // Its message may quote the value.
        }
        try {
            return Limit.hold(step, child::output, child::end);
        } catch (TimeoutException late) {
            return Reply.failed("timeout", command.get(0) + " has not ended in time");
        } catch (ExecutionException failure) {
            return Reply.failed("other", Reply.describe(failure.getCause()));
        }
    }

    private static ChildProcess start(List<String> command, List<?> environment, Bounds bounds)
            throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command);
        for (Object variable : environment) {
            builder.environment().put((String) ((List<?>) variable).get(0), (String) ((List<?>) variable).get(1));
        }
        String mark = UUID.randomUUID().toString();
        builder.environment().put(MARK, mark);
        return new ChildProcess(builder.start(), mark, bounds);
    }

    /** The system's own reason is in a message only, which is another for each system and version of Java. */
    private static Map<String, Object> notStarted(File program, IOException failure) {
        if (!program.exists()) {
            return Reply.failed("not_found", program + ": no such program");
        }
        if (!program.canExecute()) {
            return Reply.failed("permission_denied", program + " is not executable");
        }
        return Reply.failed("other", Reply.describe(failure));
    }

    private Map<String, Object> output() throws IOException, InterruptedException, ExecutionException {
        process.getOutputStream().close();
        Future<String> stderr = Threads.submit(this::stderr);
        byte[] stdout = process.getInputStream().readNBytes(bounds.bodyBytes() + 1);
        if (stdout.length > bounds.bodyBytes()) {
            return Reply.tooLarge(bounds.bodyBytes());
        }
        String said = stderr.get();
        int status = process.waitFor();
        ended = true;
        return Map.of("reply", "exited", "status", status,
                "stdout", new String(stdout, StandardCharsets.UTF_8), "stderr", said);
    }

    /** What is too much is read as well, or the program would wait for somebody who does. */
    private String stderr() throws IOException {
        try (InputStream pipe = process.getErrorStream()) {
            byte[] beginning = pipe.readNBytes(bounds.stderrBytes());
            pipe.transferTo(OutputStream.nullOutputStream());
            return new String(beginning, StandardCharsets.UTF_8);
        }
    }

    /**
     * Ends the program with all that it has started: first those, for most are not to be found without it. A pipe that is
     * open still is held by somebody whose parent has ended before: Java knows no groups of processes, but Linux shows
     * the environment.
     */
    private void end() {
        if (ended) {
            return;
        }
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        ProcessHandle.allProcesses().filter(this::isOurs).forEach(ProcessHandle::destroyForcibly);
    }

    private boolean isOurs(ProcessHandle other) {
        try {
            return new String(Files.readAllBytes(Path.of("/proc/" + other.pid() + "/environ")),
                    StandardCharsets.ISO_8859_1).contains(MARK + "=" + mark);
        } catch (IOException notShown) {
            return false;
        }
    }
}
