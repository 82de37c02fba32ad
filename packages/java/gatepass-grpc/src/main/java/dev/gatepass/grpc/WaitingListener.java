package dev.gatepass.grpc;

import io.grpc.ServerCall;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/**
 * Keeps what happens to a call until it is known who listens. That is little: a client's messages come only when the
 * service has asked for them.
 */
final class WaitingListener<Q> extends ServerCall.Listener<Q> {
    private final Queue<Consumer<ServerCall.Listener<Q>>> events = new ArrayDeque<>();
    private final Future<?> awaited;
    /** Who listens, once all that has happened before was said. */
    private volatile ServerCall.Listener<Q> listener;

    WaitingListener(Future<?> awaited) {
        this.awaited = awaited;
    }

    /** Says to {@code service} what has happened, and from then on what happens. */
    void hand(ServerCall.Listener<Q> service) {
        while (true) {
            Consumer<ServerCall.Listener<Q>> event;
            synchronized (events) {
                event = events.poll();
                if (event == null) {
                    listener = service;
                    return;
                }
            }
            event.accept(service);
        }
    }

    private void say(Consumer<ServerCall.Listener<Q>> event) {
        if (listener == null) {
            synchronized (events) {
                if (listener == null) {
                    events.add(event);
                    return;
                }
            }
        }
        event.accept(listener);
    }

    @Override
    public void onMessage(Q message) {
        say(service -> service.onMessage(message));
    }

    @Override
    public void onHalfClose() {
        say(ServerCall.Listener::onHalfClose);
    }

    @Override
    public void onCancel() {
        awaited.cancel(true);
        say(ServerCall.Listener::onCancel);
    }

    @Override
    public void onComplete() {
        say(ServerCall.Listener::onComplete);
    }

    @Override
    public void onReady() {
        say(ServerCall.Listener::onReady);
    }
}
