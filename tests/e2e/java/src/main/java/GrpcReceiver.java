import dev.gatepass.Claims;
import dev.gatepass.Verifier;
import dev.gatepass.e2e.Answer;
import dev.gatepass.e2e.Book;
import dev.gatepass.e2e.BookstoreGrpc;
import dev.gatepass.e2e.GetBookRequest;
import dev.gatepass.e2e.ListBooksRequest;
import dev.gatepass.grpc.IdTokenInterceptor;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Instant;
import java.util.Map;

/** The bookstore behind the interceptor; see tests/e2e/grpc/README.md. */
public final class GrpcReceiver extends BookstoreGrpc.BookstoreImplBase {
    private static final Map<String, String> ENVIRONMENT = System.getenv();

    public static void main(String[] arguments) throws IOException {
        Verifier.Builder verifier = Verifier.builder().google()
                .audience(ENVIRONMENT.get("AUDIENCE"))
                .keysUrl(URI.create(ENVIRONMENT.get("KEYS_URL")));
        String allowed = ENVIRONMENT.getOrDefault("ALLOWED_EMAILS", "");
        if (!allowed.isEmpty()) {
            verifier.allowedEmails(allowed.split(","));
        }
        IdTokenInterceptor interceptor = IdTokenInterceptor.builder(verifier.build())
                .onRefusal((call, failure) -> System.err.println("refused " + failure.code()))
                .build();
        int port = Integer.parseInt(ENVIRONMENT.getOrDefault("PORT", "0"));
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        Server server = NettyServerBuilder.forAddress(address, credentials())
                .addService(new GrpcReceiver()).intercept(interceptor).build().start();
        System.out.println("listening " + server.getPort());
        System.out.flush();

        while (System.in.read() >= 0) {
            continue; // Whatever is said; only the end counts.
        }
        server.shutdownNow();
    }

    private static ServerCredentials credentials() throws IOException {
        String certificate = ENVIRONMENT.getOrDefault("TLS_CERTIFICATE", "");
        return certificate.isEmpty() ? InsecureServerCredentials.create()
                : TlsServerCredentials.create(new File(certificate), new File(ENVIRONMENT.get("TLS_KEY")));
    }

    @Override
    public void getBook(GetBookRequest request, StreamObserver<Answer> answers) {
        answers.onNext(answer());
        answers.onCompleted();
    }

    @Override
    public void listBooks(ListBooksRequest request, StreamObserver<Answer> answers) {
        for (int number = 0; number < request.getCount(); number++) {
            answers.onNext(answer());
        }
        answers.onCompleted();
    }

    @Override
    public StreamObserver<Book> addBooks(StreamObserver<Answer> answers) {
        return new Books(() -> {}, () -> {
            answers.onNext(answer());
            answers.onCompleted();
        });
    }

    @Override
    public StreamObserver<Book> discuss(StreamObserver<Answer> answers) {
        return new Books(() -> answers.onNext(answer()), answers::onCompleted);
    }

    private static Answer answer() {
        Claims caller = IdTokenInterceptor.CLAIMS.get();
        return Answer.newBuilder()
                .setCallerEmail(caller.email())
                .setTokenMillisLeft(caller.expiresAt().toEpochMilli() - Instant.now().toEpochMilli())
                .build();
    }

    private record Books(Runnable each, Runnable end) implements StreamObserver<Book> {
        @Override
        public void onNext(Book book) {
            each.run();
        }

        @Override
        public void onError(Throwable failure) {
            // The caller is gone.
        }

        @Override
        public void onCompleted() {
            end.run();
        }
    }
}
