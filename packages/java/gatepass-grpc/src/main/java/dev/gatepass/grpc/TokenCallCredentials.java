package dev.gatepass.grpc;

import dev.gatepass.CallPlan;
import dev.gatepass.CallPlanner;
import dev.gatepass.GatepassException;
import dev.gatepass.Token;
import dev.gatepass.TokenSource;
import io.grpc.Attributes;
import io.grpc.CallCredentials;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.SecurityLevel;
import io.grpc.Status;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;

/** Call credentials that attach a token to each call. A call whose token is at hand is not kept waiting. */
abstract class TokenCallCredentials extends CallCredentials {
    private final TokenSource source;
    private final CallPlanner planner;
    private volatile Sent last;

    TokenCallCredentials(Builder<?> builder) {
        source = builder.source != null ? builder.source : TokenSource.applicationDefault();
        planner = builder.planner.build();
    }

    /** The token that a call of {@code plan} carries, from {@code source}. */
    abstract CompletableFuture<Token> token(TokenSource source, CallPlan plan);

    /** The headers that go with the token. */
    abstract Map<String, String> headers(TokenSource source);

    @Override
    public final void applyRequestMetadata(RequestInfo call, Executor appExecutor, MetadataApplier applier) {
        CallPlan plan;
        CompletableFuture<Token> token;
        try {
            plan = planner.planGrpc(call.getAuthority(), isEncrypted(call), peer(call.getTransportAttrs()));
            token = token(source, plan);
        } catch (GatepassException refused) {
            applier.fail(status(refused));
            return;
        }
        // On this thread, if the token is at hand. A call that is over before its token has come needs nothing from
        // here: the applier then does nothing, and others may wait for the same token.
        token.whenComplete((fetched, failure) -> {
            if (failure != null) {
                applier.fail(status(failure));
            } else {
                SentToken.note(call.getCallOptions(), source, fetched);
                applier.apply(metadata(plan, fetched));
            }
        });
    }

    private static boolean isEncrypted(RequestInfo call) {
        return call.getSecurityLevel() == SecurityLevel.PRIVACY_AND_INTEGRITY;
    }

    private static InetAddress peer(Attributes transport) {
        return transport.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR) instanceof InetSocketAddress socket
                ? socket.getAddress() : null;
    }

    /** Made once for each token. Nobody changes it: a transport copies what is in it. */
    private Metadata metadata(CallPlan plan, Token token) {
        Sent sent = last;
        if (sent == null || sent.plan != plan || sent.token != token) {
            Metadata metadata = new Metadata();
            plan.headers().forEach(name -> metadata.put(Headers.key(name), token.header()));
            headers(source).forEach((name, value) -> metadata.put(Headers.key(name), value));
            sent = new Sent(plan, token, metadata);
            last = sent;
        }
        return sent.metadata;
    }

    /** A token as calls of a plan carry it. Not a record, which would show it. */
    private static final class Sent {
        private final CallPlan plan;
        private final Token token;
        private final Metadata metadata;

        Sent(CallPlan plan, Token token, Metadata metadata) {
            this.plan = plan;
            this.token = token;
            this.metadata = metadata;
        }
    }

    /** What a call ends with that cannot have a token. */
    private static Status status(Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        if (cause instanceof GatepassException error) {
            return Status.fromCodeValue(error.grpcCallCode())
                    .withDescription(error.code() + ": " + error.getMessage()).withCause(error);
        }
        return (cause instanceof CancellationException ? Status.CANCELLED : Status.INTERNAL).withCause(cause);
    }

    /**
     * Nothing that these credentials hold is shown.
     *
     * @return the name of the class
     */
    @Override
    public final String toString() {
        return getClass().getSimpleName();
    }

    /**
     * The options that both kinds of credentials have.
     *
     * @param <B> the builder itself
     */
    abstract static class Builder<B extends Builder<B>> {
        final CallPlanner.Builder planner;
        private TokenSource source;

        Builder(CallPlanner.Builder planner) {
            this.planner = planner;
        }

        abstract B self();

        /**
         * Takes the tokens from this source.
         *
         * @param source the process-wide one, if none is given
         * @return this builder
         */
        public B source(TokenSource source) {
            this.source = Objects.requireNonNull(source, "source");
            return self();
        }

        /**
         * Sends tokens without TLS, too, over channels that lead to a loopback address: for the emulator and for tests.
         * Any other channel without TLS is refused.
         *
         * @return this builder
         */
        public B allowPlaintextLoopback() {
            planner.allowPlaintextLoopback();
            return self();
        }
    }
}
