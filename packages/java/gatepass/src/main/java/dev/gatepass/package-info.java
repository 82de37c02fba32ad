/**
 * Service-to-service identity tokens: fetch them, attach them to HTTP calls, verify what arrives.
 *
 * <pre>{@code
 * var client = Gatepass.idTokenClient(audience);             // a java.net.http.HttpClient whose requests carry a token
 * String token = Gatepass.fetchIdToken(audience);            // from wherever the program runs, cached process-wide
 * Claims claims = Verifier.google(audience).verify(token);   // who called
 * }</pre>
 *
 * <p>Every decision (where credentials are, when a token is fetched again, what makes a token valid) is made by
 * gatepass's core, the same in all languages; this package carries out what the core asks for.
 *
 * <p>All classes are safe for use by many threads. Every failure is a {@link dev.gatepass.GatepassException}; a caller
 * whose thread is interrupted while it waits gets a {@link java.util.concurrent.CancellationException}, and finds its
 * thread interrupted still.
 */
package dev.gatepass;
