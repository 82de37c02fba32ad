package dev.gatepass;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** Everything that is logged by java.util.logging meanwhile, at the most verbose level. */
public final class Logs extends Handler implements AutoCloseable {
    /** Held on to: the log manager forgets loggers, with their levels, that nobody else holds. */
    private final List<Logger> loggers =
            List.of(Logger.getLogger(""), Logger.getLogger("dev.gatepass"), Logger.getLogger("jdk.httpclient"));
    private final List<Level> levels = loggers.stream().map(Logger::getLevel).toList();
    private final SimpleFormatter formatter = new SimpleFormatter();
    private final StringWriter text = new StringWriter();

    public Logs() {
        setLevel(Level.ALL);
        loggers.forEach(logger -> logger.setLevel(Level.ALL));
        loggers.get(0).addHandler(this);
    }

    @Override
    public synchronized void publish(LogRecord entry) {
        new PrintWriter(text, true).println(formatter.format(entry));
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        loggers.get(0).removeHandler(this);
        for (int i = 0; i < loggers.size(); i++) {
            loggers.get(i).setLevel(levels.get(i));
        }
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
