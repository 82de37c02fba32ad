package dev.gatepass.driver;

import java.util.Map;

/**
 * How an operation has ended.
 *
 * @param step the last one: {@code done} or {@code fail}
 * @param supplierFailure what a function of the user's has thrown on the way; null for nothing
 */
public record End(Map<String, Object> step, Throwable supplierFailure) {}
