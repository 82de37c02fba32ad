package dev.gatepass.grpc;

import dev.gatepass.Claims;
import dev.gatepass.ErrorCode;
import dev.gatepass.GatepassException;
import dev.gatepass.GrpcStatus;
import dev.gatepass.RefusalLog;
import dev.gatepass.Verifier;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.Base64;
import java.util.Collections;
import java.util.Enumeration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BiConsumer;

/**
 * Lets through only calls with a token that a {@link Verifier} accepts. In the service behind it, {@link #CLAIMS} gives
 * the token's {@link Claims}.
 *
 * <p>A call that is refused ends as {@link GatepassException#grpcStatus()} says: with UNAUTHENTICATED,
 * PERMISSION_DENIED, or UNAVAILABLE when the keys cannot be had, and with the error's code in
 * {@code google.rpc.ErrorInfo}. Why, the {@link System.Logger} {@code dev.gatepass} hears in one line. No thread waits
 * while keys are fetched.
 */
public final class IdTokenInterceptor implements ServerInterceptor {
    /** The claims of the caller: {@code CLAIMS.get()} in a service; null in an open service, and without a token. */
    public static final Context.Key<Claims> CLAIMS = Context.key("dev.gatepass.claims");

    private static final System.Logger LOG = System.getLogger("dev.gatepass");
    private static final Metadata.Key<byte[]> DETAILS =
            Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

    private final Verifier verifier;
    private final boolean isOptional;
    private final Set<String> openServices;
    private final BiConsumer<ServerCall<?, ?>, GatepassException> onRefusal;

    /**
     * An interceptor for all calls of a server, or of a service.
     *
     * @param verifier says which tokens are accepted
     */
    public IdTokenInterceptor(Verifier verifier) {
        this(builder(verifier));
    }

    private IdTokenInterceptor(Builder builder) {
        verifier = builder.verifier;
        isOptional = builder.isOptional;
        openServices = builder.openServices;
        onRefusal = builder.onRefusal;
    }

    /**
     * Begins an interceptor with options.
     *
     * @param verifier says which tokens are accepted
     * @return a builder; without any option the interceptor is that of {@link #IdTokenInterceptor(Verifier)}
     */
    public static Builder builder(Verifier verifier) {
        return new Builder(verifier);
    }

    @Override
    public <Q, S> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
        if (openServices.contains(call.getMethodDescriptor().getServiceName())) {
            return next.startCall(call, headers);
        }
        CompletableFuture<Claims> verification = verifier.verifyRequestAsync(name -> values(headers, name));
        return verification.isDone() ? proceed(verification, Context.current(), call, headers, next)
                : waiting(verification, call, headers, next);
    }

    private <Q, S> ServerCall.Listener<Q> waiting(CompletableFuture<Claims> verification, ServerCall<Q, S> call,
            Metadata headers, ServerCallHandler<Q, S> next) {
        Context context = Context.current();
        WaitingListener<Q> listener = new WaitingListener<>(verification);
        verification.whenComplete((claims, failure) -> {
            if (verification.isCancelled()) {
                return; // The call is over.
            }
            try {
                listener.hand(proceed(verification, context, call, headers, next));
            } catch (Throwable broken) { // As a server ends a call whose service throws.
                call.close(Status.UNKNOWN.withCause(broken), new Metadata());
            }
        });
        return listener;
    }

    private <Q, S> ServerCall.Listener<Q> proceed(CompletableFuture<Claims> verification, Context context,
            ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
        Claims claims;
        try {
            claims = verification.join();
        } catch (CompletionException failed) {
            if (!(failed.getCause() instanceof GatepassException failure)) {
                throw failed;
            }
            if (!isOptional || failure.code() != ErrorCode.TOKEN_MISSING) {
                onRefusal.accept(call, failure);
                close(call, failure.grpcStatus());
                return new ServerCall.Listener<>() {};
            }
            claims = null;
        }
        return Contexts.interceptCall(context.withValue(CLAIMS, claims), call, headers, next);
    }

    private static Enumeration<String> values(Metadata headers, String name) {
        Iterable<String> values = headers.getAll(Headers.key(name));
        if (values == null) {
            return Collections.emptyEnumeration();
        }
        var each = values.iterator();
        return new Enumeration<>() {
            @Override
            public boolean hasMoreElements() {
                return each.hasNext();
            }

            @Override
            public String nextElement() {
                return each.next();
            }
        };
    }

    private static void close(ServerCall<?, ?> call, GrpcStatus status) {
        Metadata trailers = new Metadata();
        trailers.put(DETAILS, Base64.getDecoder().decode(status.details()));
        call.close(Status.fromCodeValue(status.code()).withDescription(status.message()), trailers);
    }

    private static void log(ServerCall<?, ?> call, GatepassException failure) {
        RefusalLog line = RefusalLog.of(failure, "/" + call.getMethodDescriptor().getFullMethodName());
        LOG.log(line.level(), line.message());
    }

    /** The options of an {@link IdTokenInterceptor}. */
    public static final class Builder {
        private final Verifier verifier;
        private boolean isOptional;
        private Set<String> openServices = Set.of();
        private BiConsumer<ServerCall<?, ?>, GatepassException> onRefusal = IdTokenInterceptor::log;

        private Builder(Verifier verifier) {
            this.verifier = Objects.requireNonNull(verifier, "verifier");
        }

        /**
         * Lets calls without a token through as well, without claims. A bad token is refused all the same.
         *
         * @return this builder
         */
        public Builder optional() {
            isOptional = true;
            return this;
        }

        /**
         * Lets calls of these services through, whatever token they have: health checks, for one.
         *
         * @param names such as {@code grpc.health.v1.Health} or {@code grpc.reflection.v1.ServerReflection}
         * @return this builder
         */
        public Builder openServices(String... names) {
            openServices = Set.of(Objects.requireNonNull(names, "names"));
            return this;
        }

        /**
         * Hears of each refusal in place of the log.
         *
         * @param hook is called before the call is answered
         * @return this builder
         */
        public Builder onRefusal(BiConsumer<ServerCall<?, ?>, GatepassException> hook) {
            onRefusal = Objects.requireNonNull(hook, "hook");
            return this;
        }

        /**
         * Makes the interceptor.
         *
         * @return an interceptor for all calls of a server, or of a service
         */
        public IdTokenInterceptor build() {
            return new IdTokenInterceptor(this);
        }
    }
}
