package dev.gatepass.grpc;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.function.Supplier;

/**
 * Repeats a unary call that its server has refused with UNAUTHENTICATED before the token's time (a key was rotated, a
 * clock is wrong), once and with another token; a token is replaced at most once a minute. For a channel with
 * {@link IdTokenCallCredentials} or {@link AccessTokenCallCredentials}: {@code intercept(new RepeatRefusedCalls())}.
 *
 * <p>A stream is not repeated, as messages may have gone either way: the next one has another token.
 */
public final class RepeatRefusedCalls implements ClientInterceptor {
    /** An interceptor for any number of channels. */
    public RepeatRefusedCalls() {}

    @Override
    public <Q, S> ClientCall<Q, S> interceptCall(MethodDescriptor<Q, S> method, CallOptions options, Channel next) {
        SentToken sent = new SentToken();
        ClientCall<Q, S> first = next.newCall(method, options.withOption(SentToken.KEY, sent));
        return method.getType() == MethodDescriptor.MethodType.UNARY
                ? new RepeatedCall<>(first, sent, () -> next.newCall(method, options))
                : new WatchedCall<>(first, sent);
    }

    /** A stream, whose token is replaced if it is refused. */
    private static final class WatchedCall<Q, S> extends SimpleForwardingClientCall<Q, S> {
        private final SentToken sent;

        WatchedCall(ClientCall<Q, S> call, SentToken sent) {
            super(call);
            this.sent = sent;
        }

        @Override
        public void start(Listener<S> listener, Metadata headers) {
            super.start(new SimpleForwardingClientCallListener<>(listener) {
                @Override
                public void onClose(Status status, Metadata trailers) {
                    if (status.getCode() == Status.Code.UNAUTHENTICATED) {
                        sent.isReplaced();
                    }
                    super.onClose(status, trailers);
                }
            }, headers);
        }
    }

    /** A call that keeps its request. No other object is called under the lock: a transport may hold one of its own. */
    private static final class RepeatedCall<Q, S> extends ClientCall<Q, S> {
        private final SentToken sent;
        private final Supplier<ClientCall<Q, S>> again;
        private final Metadata headers = new Metadata();
        private volatile ClientCall<Q, S> current;
        private Listener<S> listener;
        private Q request;
        private boolean isCompressed = true;
        private int requested;
        private volatile boolean isComplete;
        private boolean isCancelled;

        RepeatedCall(ClientCall<Q, S> first, SentToken sent, Supplier<ClientCall<Q, S>> again) {
            current = first;
            this.sent = sent;
            this.again = again;
        }

        @Override
        public void start(Listener<S> responseListener, Metadata given) {
            listener = responseListener;
            headers.merge(given); // The first call adds its token to those that it gets.
            current.start(new FirstListener(), given);
        }

        @Override
        public void request(int count) {
            ClientCall<Q, S> call;
            synchronized (this) {
                requested += count;
                call = current;
            }
            call.request(count);
        }

        @Override
        public void sendMessage(Q message) {
            request = message;
            current.sendMessage(message);
        }

        @Override
        public void halfClose() {
            isComplete = true; // Only now does a transport send a single request.
            current.halfClose();
        }

        @Override
        public void cancel(String message, Throwable cause) {
            ClientCall<Q, S> call;
            synchronized (this) {
                isCancelled = true;
                call = current;
            }
            call.cancel(message, cause);
        }

        private void repeat() {
            ClientCall<Q, S> second = again.get();
            second.start(listener, headers);
            int count;
            boolean cancels;
            synchronized (this) {
                current = second;
                count = requested;
                cancels = isCancelled;
            }
            if (cancels) {
                second.cancel("cancelled while it was repeated", null);
                return;
            }
            second.request(count);
            second.setMessageCompression(isCompressed);
            second.sendMessage(request);
            second.halfClose();
        }

        @Override
        public boolean isReady() {
            return current.isReady();
        }

        @Override
        public void setMessageCompression(boolean enabled) {
            isCompressed = enabled;
            current.setMessageCompression(enabled);
        }

        @Override
        public Attributes getAttributes() {
            return current.getAttributes();
        }

        private final class FirstListener extends SimpleForwardingClientCallListener<S> {
            private boolean isAnswered;
            /** Not handed on before an answer comes: those of a repeated call would come a second time. */
            private Metadata received;

            FirstListener() {
                super(listener);
            }

            @Override
            public void onHeaders(Metadata headers) {
                received = headers;
            }

            @Override
            public void onMessage(S message) {
                isAnswered = true;
                handOn();
                super.onMessage(message);
            }

            @Override
            public void onClose(Status status, Metadata trailers) {
                boolean isRefused = status.getCode() == Status.Code.UNAUTHENTICATED && !isAnswered;
                if (isRefused && isComplete && sent.isReplaced()) {
                    repeat();
                } else {
                    handOn();
                    super.onClose(status, trailers);
                }
            }

            private void handOn() {
                if (received != null) {
                    super.onHeaders(received);
                    received = null;
                }
            }
        }
    }
}
