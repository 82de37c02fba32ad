import dev.gatepass.Gatepass;
import dev.gatepass.Verifier;

class NoAwait {
    Object mistake() {
        return Verifier.google("https://orders.example").verify(Gatepass.fetchIdTokenAsync("https://orders.example"));
    }
}
