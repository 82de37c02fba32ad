import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.gatepass.e2e.Answer;
import dev.gatepass.e2e.Book;
import dev.gatepass.e2e.BookstoreGrpc;
import dev.gatepass.e2e.BookstoreGrpc.BookstoreStub;
import dev.gatepass.e2e.GetBookRequest;
import dev.gatepass.e2e.ListBooksRequest;
import dev.gatepass.grpc.IdTokenCallCredentials;
import dev.gatepass.grpc.RepeatRefusedCalls;
import io.grpc.ChannelCredentials;
import io.grpc.CompositeChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;

/** Calls bookstores with the credentials that the environment gives; see tests/e2e/grpc/README.md. */
public final class GrpcCaller {
    private static final Gson JSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();
    private static final int CALLS = 100;
    private static final int BOOKS = 3;
    private static final int THREADS = 4;
    private static final int DEADLINE_SECONDS = 30;
    private static final String TLS_CA = System.getenv().getOrDefault("TLS_CA", "");
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final Metadata.Key<byte[]> DETAILS =
            Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

    private GrpcCaller() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("--long")) {
            JsonObject report = callForLong(JsonParser.parseString(arguments[1]).getAsJsonObject());
            System.out.println(JSON.toJson(report));
            System.exit(report.get("failed").getAsLong() == 0 ? 0 : 1);
        }
        boolean isFine = true;
        for (JsonElement receiver : JsonParser.parseString(arguments[0]).getAsJsonArray()) {
            JsonObject report = new JsonObject();
            report.add("receiver", receiver.getAsJsonObject().get("name"));
            try {
                call(receiver.getAsJsonObject(), report);
            } catch (StatusRuntimeException failure) {
                report.addProperty("error", failure.getMessage());
                isFine = false;
            }
            System.out.println(JSON.toJson(report));
        }
        System.exit(isFine ? 0 : 1);
    }

    /** What is called, and how. */
    private enum Method {
        GetBook((store, answers) -> store.getBook(GetBookRequest.newBuilder().setTitle("Emma").build(), answers)),
        ListBooks((store, answers) -> store.listBooks(ListBooksRequest.newBuilder().setCount(BOOKS).build(), answers)),
        AddBooks((store, answers) -> send(store.addBooks(answers))),
        Discuss((store, answers) -> send(store.discuss(answers)));

        private final BiConsumer<BookstoreStub, StreamObserver<Answer>> begin;

        Method(BiConsumer<BookstoreStub, StreamObserver<Answer>> begin) {
            this.begin = begin;
        }

        /** All answers; fails with the status that the call has ended with. */
        List<Answer> call(BookstoreStub store) {
            Answers answers = new Answers();
            begin.accept(store.withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS), answers);
            try {
                return answers.all.join();
            } catch (CompletionException failed) {
                throw (StatusRuntimeException) failed.getCause();
            }
        }

        private static void send(StreamObserver<Book> books) {
            for (int number = 0; number < BOOKS; number++) {
                books.onNext(Book.newBuilder().setTitle("Emma " + number).build());
            }
            books.onCompleted();
        }
    }

    private static final class Answers implements StreamObserver<Answer> {
        private final List<Answer> received = new ArrayList<>();
        private final CompletableFuture<List<Answer>> all = new CompletableFuture<>();

        @Override
        public void onNext(Answer answer) {
            received.add(answer);
        }

        @Override
        public void onError(Throwable failure) {
            all.completeExceptionally(failure);
        }

        @Override
        public void onCompleted() {
            all.complete(received);
        }
    }

    private static void call(JsonObject receiver, JsonObject report) throws IOException {
        ManagedChannel channel = channelWithTokens(receiver);
        BookstoreStub store = BookstoreGrpc.newStub(channel);
        JsonObject seen = new JsonObject();
        long[] micros = new long[CALLS];
        for (Method method : Method.values()) {
            Map<String, Integer> emails = new TreeMap<>();
            for (int call = 0; call < (method == Method.GetBook ? CALLS : 1); call++) {
                long begin = System.nanoTime();
                List<Answer> answers = method.call(store);
                if (method == Method.GetBook) {
                    micros[call] = (System.nanoTime() - begin) / 1000;
                }
                answers.forEach(answer -> emails.merge(answer.getCallerEmail(), 1, Integer::sum));
            }
            seen.add(method.name(), JSON.toJsonTree(emails));
        }
        channel.shutdown();
        report.addProperty("calls", CALLS);
        report.addProperty("first_us", micros[0]);
        report.addProperty("hundredth_us", micros[CALLS - 1]);
        report.add("seen", seen);
        report.add("refusals", refusals(receiver));
    }

    private static JsonObject refusals(JsonObject receiver) throws IOException {
        ManagedChannel channel = builder(receiver, channelCredentials()).build();
        JsonObject refusals = new JsonObject();
        JsonArray tokens = receiver.getAsJsonArray("bad_tokens");
        for (JsonElement token : tokens) {
            JsonElement bad = token.getAsJsonObject().get("token");
            Metadata headers = new Metadata();
            if (!bad.isJsonNull()) {
                headers.put(AUTHORIZATION, "Bearer " + bad.getAsString());
            }
            BookstoreStub store = BookstoreGrpc.newStub(channel)
                    .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
            JsonObject ofToken = new JsonObject();
            for (Method method : Method.values()) {
                ofToken.add(method.name(), refusal(method, store));
            }
            refusals.add(token.getAsJsonObject().get("what").getAsString(), ofToken);
        }
        channel.shutdown();
        return refusals;
    }

    private static JsonObject refusal(Method method, BookstoreStub store) {
        JsonObject refusal = new JsonObject();
        Status status = Status.OK;
        byte[] details = null;
        try {
            method.call(store);
        } catch (StatusRuntimeException refused) {
            status = refused.getStatus();
            details = refused.getTrailers() == null ? null : refused.getTrailers().get(DETAILS);
        }
        refusal.addProperty("code", status.getCode().value());
        refusal.addProperty("message", status.getDescription() == null ? "" : status.getDescription());
        refusal.addProperty("details", details == null ? null : Base64.getEncoder().encodeToString(details));
        return refusal;
    }

    private static JsonObject callForLong(JsonObject run) throws Exception {
        int calls = run.get("calls").getAsInt() / THREADS;
        double nanosBetween = run.get("seconds").getAsDouble() * 1e9 / calls;
        ManagedChannel channel = channelWithTokens(run);
        BookstoreStub store = BookstoreGrpc.newStub(channel);
        Map<String, Long> errors = new ConcurrentHashMap<>();
        AtomicLong leastMillisLeft = new AtomicLong(Long.MAX_VALUE);
        long start = System.nanoTime();
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        List<Future<?>> working = new ArrayList<>();
        for (int thread = 0; thread < THREADS; thread++) {
            working.add(threads.submit(() -> {
                for (int call = 0; call < calls; call++) {
                    TimeUnit.NANOSECONDS.sleep(start + (long) (call * nanosBetween) - System.nanoTime());
                    try {
                        long left = Method.GetBook.call(store).get(0).getTokenMillisLeft();
                        leastMillisLeft.accumulateAndGet(left, Math::min);
                    } catch (StatusRuntimeException failure) {
                        errors.merge(failure.getMessage(), 1L, Long::sum);
                    }
                }
                return null;
            }));
        }
        for (Future<?> each : working) {
            each.get();
        }
        threads.shutdown();
        channel.shutdown();
        JsonObject report = new JsonObject();
        report.addProperty("calls", calls * THREADS);
        report.addProperty("failed", errors.values().stream().mapToLong(Long::longValue).sum());
        report.add("errors", JSON.toJsonTree(errors));
        report.addProperty("least_millis_left", leastMillisLeft.get());
        return report;
    }

    private static ManagedChannel channelWithTokens(JsonObject receiver) throws IOException {
        IdTokenCallCredentials.Builder tokens = IdTokenCallCredentials.builder();
        if (TLS_CA.isEmpty()) {
            tokens.allowPlaintextLoopback();
        }
        return builder(receiver, CompositeChannelCredentials.create(channelCredentials(), tokens.build()))
                .intercept(new RepeatRefusedCalls()).build();
    }

    private static ChannelCredentials channelCredentials() throws IOException {
        return TLS_CA.isEmpty() ? InsecureChannelCredentials.create()
                : TlsChannelCredentials.newBuilder().trustManager(new File(TLS_CA)).build();
    }

    private static ManagedChannelBuilder<?> builder(JsonObject receiver, ChannelCredentials credentials) {
        return Grpc.newChannelBuilder(receiver.get("target").getAsString(), credentials)
                .overrideAuthority(receiver.get("authority").getAsString());
    }
}
