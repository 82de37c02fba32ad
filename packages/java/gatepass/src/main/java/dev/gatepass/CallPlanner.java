package dev.gatepass;

import dev.gatepass.json.Json;
import java.net.InetAddress;
import java.net.URI;
import java.util.Map;
import java.util.Objects;

/**
 * Says how calls carry their tokens: for which audience, in which headers, and whether a token may go there at all. For
 * adapters to other clients than those of this package; {@code dev.gatepass.grpc} is one.
 */
public final class CallPlanner {
    private final Map<String, Object> options;
    private final boolean allowsPlaintextLoopback;
    private final BoundedMemory<Channel, CallPlan> plans = new BoundedMemory<>(Limits.HELD_TOKENS);

    private CallPlanner(Builder builder) {
        options = Json.members();
        options.putAll(builder.options);
        allowsPlaintextLoopback = builder.allowsPlaintextLoopback;
    }

    /**
     * Begins a planner of calls with ID tokens.
     *
     * @return a builder; without any option the audience is derived from where a call goes
     */
    public static Builder idTokens() {
        return new Builder("id_token");
    }

    /**
     * Begins a planner of calls with access tokens.
     *
     * @return a builder
     */
    public static Builder accessTokens() {
        return new Builder("access_token");
    }

    /**
     * Plans a request over HTTP.
     *
     * @param url where it goes
     * @return the plan
     * @throws GatepassException with {@link ErrorCode#INVALID_AUDIENCE} if none can be derived from the URL, with
     *     {@link ErrorCode#INVALID_OPTION} if the token would travel unprotected
     */
    public CallPlan plan(URI url) {
        return plan(url.toString(), null);
    }

    /**
     * Plans a call of gRPC. A plan is remembered: the next call of the same service costs a look into a map.
     *
     * @param authority the service, with or without a port, as the channel authenticates it
     * @param isEncrypted whether the channel uses TLS, or something as good
     * @param peer where the channel leads; null if that is no internet address
     * @return the plan
     * @throws GatepassException with {@link ErrorCode#INVALID_AUDIENCE} if none can be derived from the authority, with
     *     {@link ErrorCode#INVALID_OPTION} if the token would travel unprotected
     */
    public CallPlan planGrpc(String authority, boolean isEncrypted, InetAddress peer) {
        return plans.computeIfAbsent(new Channel(authority, isEncrypted ? null : peer, isEncrypted), this::plan);
    }

    private CallPlan plan(Channel channel) {
        if (!channel.isEncrypted) {
            // What counts is where the token goes, and not what that place is called.
            plan("https://" + channel.peerHost(), channel(false));
        }
        return plan("https://" + channel.authority, channel(true));
    }

    private Map<String, Object> channel(boolean isEncrypted) {
        return Map.of("is_encrypted", isEncrypted, "allow_plaintext_loopback", allowsPlaintextLoopback);
    }

    private CallPlan plan(String url, Map<String, Object> channel) {
        Native.require();
        Map<String, Object> call = Json.members();
        call.putAll(options);
        call.put("url", url);
        call.put("grpc", channel);
        Map<String, Object> plan = Json.readMembers(Native.planCall(Json.write(call)));
        return new CallPlan((String) plan.get("audience"), Json.texts(plan.get("headers")));
    }

    private record Channel(String authority, InetAddress peer, boolean isEncrypted) {
        /** The core knows IPv6's loopback address by its short spelling, and Java has a long one only. */
        String peerHost() {
            return peer == null ? authority : peer.isLoopbackAddress() ? "localhost" : host(peer.getHostAddress());
        }

        private static String host(String address) {
            return address.indexOf(':') < 0 ? address : "[" + address + "]";
        }
    }

    /** The options of a {@link CallPlanner}. */
    public static final class Builder {
        private final Map<String, Object> options = Json.members();
        private boolean allowsPlaintextLoopback;

        private Builder(String kind) {
            options.put("kind", kind);
        }

        /**
         * Asks for tokens for this audience, wherever a call goes.
         *
         * @param audience the receiver: its URL, a custom audience, or the OAuth client id of IAP
         * @return this builder
         */
        public Builder audience(String audience) {
            options.put("audience", Objects.requireNonNull(audience, "audience"));
            return this;
        }

        /**
         * Puts the token into this header.
         *
         * @param header {@link TokenHeader#AUTHORIZATION}, if none is given
         * @return this builder
         */
        public Builder tokenHeader(TokenHeader header) {
            options.put("token_header", header.option());
            return this;
        }

        /**
         * Sends tokens over plain http too. To a loopback host they are sent without this.
         *
         * @return this builder
         */
        public Builder allowPlainHttp() {
            options.put("allow_plain_http", true);
            return this;
        }

        /**
         * Sends tokens over channels of gRPC without TLS, too, if they lead to a loopback address.
         *
         * @return this builder
         */
        public Builder allowPlaintextLoopback() {
            allowsPlaintextLoopback = true;
            return this;
        }

        /**
         * Makes the planner.
         *
         * @return a planner, for any number of threads
         */
        public CallPlanner build() {
            return new CallPlanner(this);
        }
    }
}
