package dev.gatepass;

import java.io.Serializable;

/**
 * How a gRPC server answers a call that it refuses: UNAUTHENTICATED for a missing or invalid token, PERMISSION_DENIED for
 * a caller who is not on the list, UNAVAILABLE when the keys cannot be had.
 *
 * @param code the number of the status code
 * @param message the error's code and what the caller can do; what was found stays with the service
 * @param details the trailer {@code grpc-status-details-bin} in base64: a serialized {@code google.rpc.Status}, with
 *     {@code ErrorInfo}, and {@code RetryInfo} where the call may be repeated
 */
public record GrpcStatus(int code, String message, String details) implements Serializable {}
