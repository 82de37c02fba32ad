package dev.gatepass;

/**
 * Who the credentials of a {@link TokenSource} are.
 *
 * @param email of the service account or the person; null if it has none or does not say it
 * @param projectId of the project that the credentials belong to; null if they do not say it
 */
public record Principal(String email, String projectId) {}
