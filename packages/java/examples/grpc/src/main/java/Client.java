import dev.gatepass.grpc.IdTokenCallCredentials;
import example.bookstore.Book;
import example.bookstore.BookstoreGrpc;
import example.bookstore.GetBookRequest;
import io.grpc.CompositeChannelCredentials;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;

/**
 * Asks the bookstore for a book, again and again. Its channel is made once, a token lives for an hour, and no call has a
 * word about tokens.
 */
public final class Client {
    public static void main(String[] arguments) throws InterruptedException {
        String target = arguments[0]; // Such as bookstore-7f3kq2x4ca-uc.a.run.app:443.
        int seconds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 60;
        ManagedChannel channel = Grpc.newChannelBuilder(target, CompositeChannelCredentials.create(
                TlsChannelCredentials.create(), IdTokenCallCredentials.create())).build();
        var store = BookstoreGrpc.newBlockingStub(channel);
        while (true) {
            Book book = store.getBook(GetBookRequest.newBuilder().setTitle("Dune").build());
            System.out.println(book.getTitle() + " for " + book.getReader());
            Thread.sleep(seconds * 1000L);
        }
    }
}
