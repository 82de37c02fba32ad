import dev.gatepass.Verifier;
import dev.gatepass.grpc.IdTokenInterceptor;
import example.bookstore.Book;
import example.bookstore.BookstoreGrpc;
import example.bookstore.GetBookRequest;
import io.grpc.Grpc;
import io.grpc.Server;
import io.grpc.TlsServerCredentials;
import io.grpc.stub.StreamObserver;
import java.io.File;

/** The bookstore: its port, its audience ({@code https://} and its host), and the files of its certificate and key. */
public final class BookstoreServer extends BookstoreGrpc.BookstoreImplBase {
    public static void main(String[] arguments) throws Exception {
        Verifier verifier = Verifier.google(arguments[1]);
        var tls = TlsServerCredentials.create(new File(arguments[2]), new File(arguments[3]));
        Server server = Grpc.newServerBuilderForPort(Integer.parseInt(arguments[0]), tls)
                .addService(new BookstoreServer())
                .intercept(new IdTokenInterceptor(verifier))
                .build().start();
        System.out.println("listening on " + server.getPort());
        server.awaitTermination();
    }

    @Override
    public void getBook(GetBookRequest request, StreamObserver<Book> answer) {
        String reader = IdTokenInterceptor.CLAIMS.get().email();
        answer.onNext(Book.newBuilder().setTitle(request.getTitle()).setReader(reader).build());
        answer.onCompleted();
    }
}
