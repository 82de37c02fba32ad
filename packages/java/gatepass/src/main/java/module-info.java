/** Service-to-service identity tokens: fetch them, attach them to HTTP calls, verify what arrives. */
module dev.gatepass {
    requires com.google.gson;
    requires transitive java.net.http;
    // Not transitive: whoever uses what needs them has them, and nobody else need.
    requires static jakarta.servlet;
    requires static org.junit.jupiter.api;

    exports dev.gatepass;
    exports dev.gatepass.servlet;
    exports dev.gatepass.testing;
}
