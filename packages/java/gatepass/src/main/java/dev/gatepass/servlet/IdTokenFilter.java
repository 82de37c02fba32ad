package dev.gatepass.servlet;

import dev.gatepass.Claims;
import dev.gatepass.ErrorCode;
import dev.gatepass.GatepassException;
import dev.gatepass.Refusal;
import dev.gatepass.RefusalLog;
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
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * Lets through only requests with a token that a {@link Verifier} accepts. Behind it {@code getUserPrincipal()} is the
 * token's {@link Claims}, and so is the request attribute {@link #CLAIMS}.
 *
 * <p>A request that is refused is answered as {@link GatepassException#refusal()} says: 401, 403, or 503 when the keys
 * cannot be had. Why, the {@link System.Logger} {@code dev.gatepass} hears in one line.
 */
@SuppressWarnings("exports") // Whoever uses it has jakarta.servlet.
public final class IdTokenFilter implements Filter {
    /** The name of the request attribute that holds the {@link Claims}. */
    public static final String CLAIMS = "dev.gatepass.claims";

    private static final System.Logger LOG = System.getLogger("dev.gatepass");

    private final Verifier verifier;
    private final boolean isOptional;
    private final boolean allowsCorsPreflight;
    private final Set<String> openPaths;
    private final BiConsumer<HttpServletRequest, GatepassException> onRefusal;

    /**
     * A filter for all requests that it is mapped to.
     *
     * @param verifier says which tokens are accepted
     */
    public IdTokenFilter(Verifier verifier) {
        this(builder(verifier));
    }

    private IdTokenFilter(Builder builder) {
        verifier = builder.verifier;
        isOptional = builder.isOptional;
        allowsCorsPreflight = builder.allowsCorsPreflight;
        openPaths = builder.openPaths;
        onRefusal = builder.onRefusal;
    }

    /**
     * Begins a filter with options.
     *
     * @param verifier says which tokens are accepted
     * @return a builder; without any option the filter is that of {@link #IdTokenFilter(Verifier)}
     */
    public static Builder builder(Verifier verifier) {
        return new Builder(verifier);
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        HttpServletRequest received = (HttpServletRequest) request;
        if (isOpen(received)) {
            chain.doFilter(request, response);
            return;
        }
        Claims claims;
        try {
            claims = verifier.verifyRequest(received::getHeaders);
        } catch (GatepassException failure) {
            if (isOptional && failure.code() == ErrorCode.TOKEN_MISSING) {
                chain.doFilter(request, response);
            } else {
                onRefusal.accept(received, failure);
                answer((HttpServletResponse) response, failure.refusal());
            }
            return;
        }
        received.setAttribute(CLAIMS, claims);
        chain.doFilter(new VerifiedRequest(received, claims), response);
    }

    /** A path is open as it is written in the request: one that only leads to the same place is not. */
    private boolean isOpen(HttpServletRequest request) {
        boolean isPreflight = request.getMethod().equals("OPTIONS") && request.getHeader("Origin") != null
                && request.getHeader("Access-Control-Request-Method") != null;
        return allowsCorsPreflight && isPreflight || openPaths.contains(request.getRequestURI());
    }

    private static void log(HttpServletRequest request, GatepassException failure) {
        RefusalLog line = RefusalLog.of(failure, request.getRequestURI());
        LOG.log(line.level(), line.message());
    }

    private static void answer(HttpServletResponse response, Refusal refusal) throws IOException {
        if (response.isCommitted()) {
            return; // Somebody else has answered.
        }
        response.setStatus(refusal.status());
        refusal.headers().forEach(response::setHeader);
        response.getOutputStream().write(refusal.body().getBytes(StandardCharsets.UTF_8));
    }

    /** The options of an {@link IdTokenFilter}. */
    public static final class Builder {
        private final Verifier verifier;
        private boolean isOptional;
        private boolean allowsCorsPreflight;
        private Set<String> openPaths = Set.of();
        private BiConsumer<HttpServletRequest, GatepassException> onRefusal = IdTokenFilter::log;

        private Builder(Verifier verifier) {
            this.verifier = Objects.requireNonNull(verifier, "verifier");
        }

        /**
         * Lets requests without a token through as well; behind the filter they have no {@link Claims}. A bad token is
         * refused all the same.
         *
         * @return this builder
         */
        public Builder optional() {
            isOptional = true;
            return this;
        }

        /**
         * Lets requests for these paths through, whatever token they have: health checks, for one.
         *
         * @param paths each as it is written in the request, with the context path
         * @return this builder
         */
        public Builder openPaths(String... paths) {
            openPaths = Set.of(Objects.requireNonNull(paths, "paths"));
            return this;
        }

        /**
         * Lets CORS preflight requests through, which browsers send without a token. For a service that answers them.
         *
         * @return this builder
         */
        public Builder allowCorsPreflight() {
            allowsCorsPreflight = true;
            return this;
        }

        /**
         * Hears of each refusal in place of the log.
         *
         * @param hook is called before the request is answered; what it throws, the servlet container gets
         * @return this builder
         */
        public Builder onRefusal(BiConsumer<HttpServletRequest, GatepassException> hook) {
            onRefusal = Objects.requireNonNull(hook, "hook");
            return this;
        }

        /**
         * Makes the filter.
         *
         * @return a filter for all requests that it is mapped to
         */
        public IdTokenFilter build() {
            return new IdTokenFilter(this);
        }
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
