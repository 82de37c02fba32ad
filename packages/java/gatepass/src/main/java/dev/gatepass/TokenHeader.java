package dev.gatepass;

import java.util.Locale;

/** Where a request carries its token. */
public enum TokenHeader {
    /** In {@code Authorization}. */
    AUTHORIZATION,
    /**
     * In {@code X-Serverless-Authorization}, which Cloud Run checks first: {@code Authorization} stays the application's
     * own.
     */
    X_SERVERLESS_AUTHORIZATION,
    /** In both: Cloud Run checks the one and removes its signature, the service behind it verifies the other. */
    BOTH;

    /** As the core names it. */
    String option() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
