package dev.gatepass;

import java.util.List;

/**
 * How a call carries its token, as the core has planned it.
 *
 * @param audience of an ID token; null for an access token
 * @param headers the names of the headers that carry it, in lower case
 */
public record CallPlan(String audience, List<String> headers) {}
