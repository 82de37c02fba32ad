package dev.gatepass;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.ref.WeakReference;
import java.net.http.HttpClient;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.FutureTask;

/** One HTTP client for all clients that were given none: each has a thread and connections. */
final class SharedHttpClient {
    private static WeakReference<HttpClient> current = new WeakReference<>(null);

    private SharedHttpClient() {}

    /** The client. Only those who send through it keep it; when they are gone, so is its thread. */
    static synchronized HttpClient get() {
        HttpClient client = current.get();
        if (client == null) {
            client = make();
            current = new WeakReference<>(client);
        }
        return client;
    }

    /**
     * Makes a client on a thread of the JDK, in which no frame is ours: the client's own thread remembers for whom it was
     * started (JDK 23 and before), and would keep the application that brings gatepass along from being unloaded.
     */
    @SuppressWarnings("unchecked")
    private static HttpClient make() {
        try {
            MethodHandle newClient = MethodHandles.publicLookup().findStatic(
                    HttpClient.class, "newHttpClient", MethodType.methodType(HttpClient.class));
            FutureTask<HttpClient> task =
                    new FutureTask<>(MethodHandleProxies.asInterfaceInstance(Callable.class, newClient));
            ForkJoinPool.commonPool().execute(task);
            return task.get();
        } catch (ReflectiveOperationException | ExecutionException impossible) {
            throw new IllegalStateException(impossible);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return HttpClient.newHttpClient(); // Whoever is interrupted hears of it where it waits for its response.
        }
    }
}
