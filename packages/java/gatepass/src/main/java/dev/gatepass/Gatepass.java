package dev.gatepass;

import dev.gatepass.json.Json;
import dev.gatepass.json.Utf8;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The one-line calls. They use the process-wide token source, {@link TokenSource#applicationDefault()}.
 */
public final class Gatepass {
    private Gatepass() {}

    /**
     * An HTTP client whose requests carry an ID token for {@code audience}.
     *
     * @param audience the receiver: its URL, a custom audience, or the OAuth client id of IAP
     * @return a client like that of {@link java.net.http.HttpClient#newHttpClient()}
     */
    public static IdTokenClient idTokenClient(String audience) {
        return IdTokenClient.builder().audience(audience).build();
    }

    /**
     * An HTTP client whose requests carry an ID token for the audience that {@link #audienceForUrl} derives from each
     * request's URL.
     *
     * @return a client like that of {@link java.net.http.HttpClient#newHttpClient()}
     */
    public static IdTokenClient idTokenClient() {
        return IdTokenClient.builder().build();
    }

    /**
     * An HTTP client whose requests carry an access token, for Google's APIs.
     *
     * @param scopes OAuth 2.0 scopes; their order does not matter
     * @return a client like that of {@link java.net.http.HttpClient#newHttpClient()}
     */
    public static AccessTokenClient accessTokenClient(String... scopes) {
        return AccessTokenClient.builder().scopes(scopes).build();
    }

    /**
     * An ID token for {@code audience}; fetched if none is held, else at once.
     *
     * @param audience the receiver: its URL, a custom audience, or the OAuth client id of IAP
     * @return the token, a JWT
     * @throws GatepassException if the audience is not one, or no token can be had
     */
    public static String fetchIdToken(String audience) {
        return TokenSource.applicationDefault().fetchIdToken(audience);
    }

    /**
     * As {@link #fetchIdToken}, without waiting.
     *
     * @param audience the receiver: its URL, a custom audience, or the OAuth client id of IAP
     * @return the token to come; cancelling it cancels the fetch and nobody else's
     */
    public static CompletableFuture<String> fetchIdTokenAsync(String audience) {
        return TokenSource.applicationDefault().fetchIdTokenAsync(audience);
    }

    /**
     * An access token for Google's APIs; fetched if none is held, else at once.
     *
     * @param scopes OAuth 2.0 scopes
     * @return the token
     * @throws GatepassException if a scope is not one, or no token can be had
     */
    public static String fetchAccessToken(String... scopes) {
        return TokenSource.applicationDefault().fetchAccessToken(scopes);
    }

    /**
     * As {@link #fetchAccessToken}, without waiting.
     *
     * @param scopes OAuth 2.0 scopes
     * @return the token to come; cancelling it cancels the fetch and nobody else's
     */
    public static CompletableFuture<String> fetchAccessTokenAsync(String... scopes) {
        return TokenSource.applicationDefault().fetchAccessTokenAsync(scopes);
    }

    /**
     * The audience that the receiver at {@code url} expects: for Cloud Run the service's URL without traffic tag and
     * path, for a Cloud Function with its path, for any other host its origin.
     *
     * @param url an {@code https} URL; {@code http} on a loopback host is let through
     * @return the audience
     * @throws GatepassException with {@link ErrorCode#INVALID_AUDIENCE}
     */
    public static String audienceForUrl(URI url) {
        Native.require();
        return Utf8.text(Native.audienceForUrl(Utf8.bytes(url.toString())));
    }

    /**
     * Both spellings of an audience that is a URL without a path, with and without the slash at its end; receivers on
     * Cloud Run may see either.
     *
     * @param audience a receiver's audience
     * @return one spelling or two, for {@link Verifier.Builder#audience}
     */
    public static List<String> sameAudienceSpellings(String audience) {
        Native.require();
        return Json.texts(Json.read(Utf8.text(Native.sameAudienceSpellings(Utf8.bytes(audience)))));
    }

    /**
     * The audiences of the Cloud Run service that this process is, from the environment and the metadata server:
     * both spellings of its deterministic URL. Custom audiences, and the older URL with a hash in it, are not among
     * them.
     *
     * @return audiences for {@link Verifier.Builder#audience}
     * @throws GatepassException with {@link ErrorCode#INVALID_AUDIENCE} where there is no Cloud Run service; a
     *     {@link TransportException} if the metadata server does not answer
     */
    public static List<String> ownAudiences() {
        return Futures.await(ownAudiencesAsync());
    }

    /**
     * As {@link #ownAudiences}, without waiting.
     *
     * @return the audiences to come; cancelling it ends the asking
     */
    public static CompletableFuture<List<String>> ownAudiencesAsync() {
        return OwnAudiences.ask(System::getenv);
    }

    /**
     * Says what a token is, and all that is wrong with it, as far as the token alone shows it. Nothing is
     * fetched. {@link Verifier.Builder#explain(String)} knows more: what the receiver expects.
     *
     * @param token a token, or what was sent in place of one
     * @return findings, in words for people and in codes for programs
     */
    public static Explanation explain(String token) {
        return Verifier.builder().explain(token);
    }

    /**
     * The version of gatepass, the same in all its packages.
     *
     * @return such as {@code 0.1.0}
     */
    public static String version() {
        Native.require();
        return Utf8.text(Native.version());
    }
}
