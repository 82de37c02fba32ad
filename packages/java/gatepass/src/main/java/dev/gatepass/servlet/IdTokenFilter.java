package dev.gatepass.servlet;

import dev.gatepass.Claims;
import dev.gatepass.GatepassException;
import dev.gatepass.Refusal;
import dev.gatepass.Verifier;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.Principal;
import java.util.Objects;

/**
 * Lets through only requests with a token that a {@link Verifier} accepts. Behind it {@code getUserPrincipal()} is the
 * token's {@link Claims}, and so is the request attribute {@link #CLAIMS}.
 *
 * <p>A request that is refused is answered as {@link GatepassException#refusal()} says: 401, 403, or 503 when the keys
 * cannot be had. Why, beyond the code, goes to the {@link System.Logger} {@code dev.gatepass} at level
 * {@code DEBUG}.
 */
@SuppressWarnings("exports") // Whoever uses it has jakarta.servlet.
public final class IdTokenFilter implements Filter {
    /** The name of the request attribute that holds the {@link Claims}. */
    public static final String CLAIMS = "dev.gatepass.claims";

    private static final System.Logger LOG = System.getLogger("dev.gatepass");

    private final Verifier verifier;

    /**
     * A filter for all requests that it is mapped to.
     *
     * @param verifier says which tokens are accepted
     */
    public IdTokenFilter(Verifier verifier) {
        this.verifier = Objects.requireNonNull(verifier);
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        HttpServletRequest received = (HttpServletRequest) request;
        Claims claims;
        try {
            claims = verifier.verifyRequest(received::getHeaders);
        } catch (GatepassException failure) {
            LOG.log(System.Logger.Level.DEBUG, "refused a request: {0}", failure);
            answer((HttpServletResponse) response, failure.refusal());
            return;
        }
        received.setAttribute(CLAIMS, claims);
        chain.doFilter(new VerifiedRequest(received, claims), response);
    }

    private static void answer(HttpServletResponse response, Refusal refusal) throws IOException {
        response.setStatus(refusal.status());
        refusal.headers().forEach(response::setHeader);
        response.getOutputStream().write(refusal.body().getBytes(StandardCharsets.UTF_8));
    }

    private static final class VerifiedRequest extends HttpServletRequestWrapper {
        private final Claims claims;

        VerifiedRequest(HttpServletRequest request, Claims claims) {
            super(request);
            this.claims = claims;
        }

        @Override
        public Principal getUserPrincipal() {
            return claims;
        }

        @Override
        public String getRemoteUser() {
            return claims.getName();
        }
    }
}
