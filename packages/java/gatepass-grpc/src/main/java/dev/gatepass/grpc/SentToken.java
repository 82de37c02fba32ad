package dev.gatepass.grpc;

import dev.gatepass.Token;
import dev.gatepass.TokenSource;
import io.grpc.CallOptions;

/** What a call has told its server who calls. Credentials note it for {@link RepeatRefusedCalls}. */
final class SentToken {
    /** Of a call that may be repeated. */
    static final CallOptions.Key<SentToken> KEY = CallOptions.Key.create("dev.gatepass.grpc.sent-token");

    private record Sent(TokenSource source, Token token) {}

    private volatile Sent sent;

    static void note(CallOptions call, TokenSource source, Token token) {
        SentToken note = call.getOption(KEY);
        if (note != null) {
            note.sent = new Sent(source, token);
        }
    }

    /** Replaces the token; false if there was none, or if another one is not to be fetched so soon. */
    boolean isReplaced() {
        Sent last = sent;
        return last != null && last.source.invalidate(last.token);
    }
}
