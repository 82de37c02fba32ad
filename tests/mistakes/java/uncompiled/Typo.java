import dev.gatepass.Verifier;

class Typo {
    Verifier mistake() {
        return Verifier.builder().audiance("https://orders.example").build();
    }
}
