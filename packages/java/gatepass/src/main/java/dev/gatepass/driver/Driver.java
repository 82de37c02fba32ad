package dev.gatepass.driver;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Carries out what the core asks for. It decides nothing: no retry, no cache, no look at a status. Neither a step nor
 * a reply is ever logged, for they hold secrets.
 */
public final class Driver {
    /** Longer than any operation of the core takes; it ends each by itself. */
    private static final int MAX_STEPS = 1_000;

    private final UnaryOperator<String> environment;
    private final Suppliers suppliers;
    private final Pause pause;
    private final Bounds bounds;

    /**
     * A driver for any number of operations at once.
     *
     * @param environment gives the value of a variable; null if it is not set
     * @param suppliers the user's functions
     * @param pause carries out {@code wait}
     * @param bounds how much is handed over
     */
    public Driver(UnaryOperator<String> environment, Suppliers suppliers, Pause pause, Bounds bounds) {
        this.environment = environment;
        this.suppliers = suppliers;
        this.pause = pause;
        this.bounds = bounds;
    }

    /** The first step of {@code op}, for which the core needs nothing. */
    static Map<String, Object> begin(Operation op) {
        return op.resume(Map.of("reply", "start"));
    }

    /** Whether nothing is to be waited for after {@code step}. */
    static boolean isEnd(Map<String, Object> step) {
        return step.get("step").equals("done") || step.get("step").equals("fail");
    }

    /**
     * Drives an operation that waits for nothing.
     *
     * @param op its steps only read the environment
     * @return how it has ended
     */
    public End driveAtOnce(Operation op) {
        try {
            return drive(op, begin(op));
        } catch (InterruptedException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Drives {@code op} from its first step to its last. */
    End drive(Operation op, Map<String, Object> first) throws InterruptedException {
        Map<String, Object> step = first;
        Throwable supplierFailure = null;
        for (int steps = 0; steps < MAX_STEPS; steps++) {
            if (isEnd(step)) {
                return new End(step, supplierFailure);
            }
            Map<String, Object> reply;
            try {
                reply = perform(step);
            } catch (Suppliers.Failure thrown) {
                supplierFailure = thrown.getCause();
                reply = thrown.reply();
            }
            step = op.resume(reply);
        }
        throw new IllegalStateException("an operation has not ended after " + MAX_STEPS + " steps; report this");
    }

    private Map<String, Object> perform(Map<String, Object> step) throws InterruptedException, Suppliers.Failure {
        return switch ((String) step.get("step")) {
            case "read_env" -> readEnvironment(step);
            case "read_file" -> TextFile.read(step, bounds);
            case "send" -> Exchange.send(step, bounds);
            case "run" -> ChildProcess.run(step, bounds);
            case "supply" -> suppliers.supply(step);
            case "wait" -> pause((long) step.get("delay_ms"));
            default -> Reply.failed("unsupported", "this package for Java does not know the step");
        };
    }

    private Map<String, Object> readEnvironment(Map<String, Object> step) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (Object name : (List<?>) step.get("names")) {
            String value = environment.apply((String) name);
            if (value != null) {
                values.put((String) name, value);
            }
        }
        return Map.of("reply", "env", "values", values);
    }

    private Map<String, Object> pause(long delayMs) throws InterruptedException {
        pause.sleep(delayMs);
        return Map.of("reply", "elapsed");
    }
}
