package dev.gatepass;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A program that is run for what it prints, and that does not outlive the wait for it. */
final class ChildProcess {
    private ChildProcess() {}

    /** Carries out {@code run}: no shell, nothing to read, and what goes to standard error is thrown away. */
    static Map<String, Object> run(Map<String, Object> step) throws InterruptedException {
        List<String> command = ((List<?>) step.get("argv")).stream().map(String.class::cast).toList();
        Process process;
        try {
            process = start(command, (List<?>) step.get("env"));
        } catch (IOException failure) {
            return notStarted(new File(command.get(0)), failure);
        } catch (IllegalArgumentException malformed) {
            return Reply.failed("other", "a variable cannot be set as it stands"); // Its message may quote the value.
        }
        try {
            process.getOutputStream().close();
            return output(process).thenCompose(stdout -> end(process, stdout))
                    .get((long) step.get("timeout_ms"), TimeUnit.MILLISECONDS);
        } catch (TimeoutException late) {
            return Reply.failed("timeout", command.get(0) + " has not ended in time");
        } catch (ExecutionException failure) {
            return Reply.failed("other", Reply.describe(failure.getCause()));
        } catch (IOException failure) {
            return Reply.failed("other", Reply.describe(failure));
        } finally {
            destroy(process);
        }
    }

    private static Process start(List<String> command, List<?> environment) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
        for (Object variable : environment) {
            builder.environment().put((String) ((List<?>) variable).get(0), (String) ((List<?>) variable).get(1));
        }
        return builder.start();
    }

    /** The system's own reason stands in a message only, which is another for each system and version of Java. */
    private static Map<String, Object> notStarted(File program, IOException failure) {
        if (!program.exists()) {
            return Reply.failed("not_found", program + ": no such program");
        }
        if (!program.canExecute()) {
            return Reply.failed("permission_denied", program + " is not executable");
        }
        return Reply.failed("other", Reply.describe(failure));
    }

    /** What the program prints, to the end or to one octet more than may be. A thread waits for it, for a pipe does. */
    private static CompletableFuture<byte[]> output(Process process) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return process.getInputStream().readNBytes(Reply.LIMIT + 1);
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        }, work -> Flights.daemon(work).start());
    }

    private static CompletableFuture<Map<String, Object>> end(Process process, byte[] stdout) {
        if (stdout.length > Reply.LIMIT) {
            return CompletableFuture.completedFuture(Reply.tooLarge());
        }
        return process.onExit().thenApply(ended ->
                Map.of("reply", "exited", "status", ended.exitValue(), "stdout", Native.text(stdout)));
    }

    /** Ends the program with all that it has started: first those, for they are not to be found without it. */
    private static void destroy(Process process) {
        if (process.isAlive()) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }
}
