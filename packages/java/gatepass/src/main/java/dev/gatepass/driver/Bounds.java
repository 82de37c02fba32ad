package dev.gatepass.driver;

/**
 * How much is handed over, as the core says.
 *
 * @param bodyBytes of a file, a body or an output; of more nothing
 * @param stderrBytes of what a program says besides its output; of more the beginning
 */
public record Bounds(int bodyBytes, int stderrBytes) {}
