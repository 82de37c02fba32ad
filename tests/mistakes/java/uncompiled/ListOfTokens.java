import dev.gatepass.Verifier;
import java.util.List;

class ListOfTokens {
    Object mistake(List<String> tokens) {
        return Verifier.google("https://orders.example").verify(tokens);
    }
}
