package dev.gatepass.driver;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/**
 * One request and its response: HTTP/1.1 (RFC 9112) on a connection of its own.
 *
 * <p>Not {@code java.net.http}: its threads keep whoever made the client from being unloaded, it does not let go of every
 * response when its time is over, and it keeps a proxy's password to itself where the request is for https. This one has
 * no thread, no pool, no redirect, no cookie and no second try; closing its socket ends it, wherever it is.
 */
final class Exchange implements Closeable {
    /** The kind of failure of a server whose certificate is not trusted. */
    private static final String UNTRUSTED = "untrusted_certificate";
    /** The most bytes of a status line with all headers. */
    private static final int HEAD_LIMIT = 64 * 1024;

    private final Map<String, Object> step;
    private final int limit;
    private final URI url;
    private final Place target;
    private Socket socket;
    private boolean closed;

    private Exchange(Map<String, Object> step, int limit) {
        this.limit = limit;
        this.step = step;
        url = URI.create((String) step.get("url"));
        target = Place.of(url);
    }

    /** Carries out {@code send}. */
    static Map<String, Object> send(Map<String, Object> step, Bounds bounds) throws InterruptedException {
        Exchange exchange;
        try {
            exchange = new Exchange(step, bounds.bodyBytes());
        } catch (IllegalArgumentException malformed) {
            return Reply.failed("other", "the request cannot be sent: malformed URL"); // Its message quotes the URL.
        }
        try {
            return Limit.hold(step, exchange::carryOut, exchange::close);
        } catch (TimeoutException late) {
            return Reply.failed("timeout", exchange.target + " has not answered in time");
        } catch (ExecutionException failure) {
            return failed(exchange.target, failure.getCause());
        }
    }

    private static Map<String, Object> failed(Place target, Throwable failure) {
        if (failure instanceof Pem.UnusableFile || failure instanceof GeneralSecurityException
                || failure instanceof IllegalArgumentException) {
            return Reply.failed("other", failure.getMessage());
        }
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateException || cause instanceof CertPathValidatorException) {
                return Reply.failed(UNTRUSTED, target + ": " + cause.getMessage());
            }
        }
        String reason = failure instanceof UnknownHostException ? "unknown host" : Reply.describe(failure);
        return Reply.failed("connect", target + ": " + reason);
    }

    /** Also the socket that a thread is still about to open is closed. */
    @Override
    public synchronized void close() {
        closed = true;
        if (socket != null) {
            try {
                socket.close();
            } catch (IOException alreadyGone) {
                return;
            }
        }
    }

    private Map<String, Object> carryOut() throws IOException, GeneralSecurityException {
        boolean secure = url.getScheme().equalsIgnoreCase("https");
        // Read before anybody is bothered: a file that cannot be used is no fault of the other side's.
        SSLContext tls = secure ? tls() : null;
        URI proxy = proxy();
        Socket connection = connect(proxy == null ? target : Place.of(proxy));
        String form = Place.path(url);
        if (proxy != null && proxy.getScheme().equalsIgnoreCase("https")) {
            connection = secured(SSLContext.getDefault(), connection, Place.of(proxy));
        }
        if (proxy != null && secure) {
            tunnel(connection, proxy);
        } else if (proxy != null) {
            form = "http://" + target + form;
        }
        if (secure) {
            connection = secured(tls, connection, target);
        }
        connection.getOutputStream().write(request(form, proxy != null && !secure ? proxy : null));
        return response(new BufferedInputStream(connection.getInputStream()));
    }

    private SSLContext tls() throws IOException, GeneralSecurityException {
        @SuppressWarnings("unchecked")
        Map<String, Object> certificate = (Map<String, Object>) step.get("client_certificate");
        String authorities = (String) step.get("ca_certificate_path");
        return certificate == null && authorities == null
                ? SSLContext.getDefault() : Tls.context(certificate, authorities);
    }

    /** Every address of the host is tried. No other proxy's property is looked at, a SOCKS proxy's for one. */
    private Socket connect(Place place) throws IOException {
        IOException last = null;
        for (InetAddress address : InetAddress.getAllByName(place.host)) {
            Socket opened = open();
            try {
                opened.setTcpNoDelay(true);
                opened.connect(new InetSocketAddress(address, place.port));
                return opened;
            } catch (IOException failure) {
                opened.close();
                last = failure;
            }
        }
        throw last;
    }

    private synchronized Socket open() throws IOException {
        if (closed) {
            throw new IOException("the time is over");
        }
        socket = new Socket(Proxy.NO_PROXY);
        return socket;
    }

    private static SSLSocket secured(SSLContext tls, Socket connection, Place place) throws IOException {
        SSLSocket secured = (SSLSocket) tls.getSocketFactory()
                .createSocket(connection, place.host, place.port, true);
        SSLParameters parameters = secured.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        secured.setSSLParameters(parameters);
        secured.startHandshake();
        return secured;
    }

    /** RFC 9110, section 9.3.6. */
    private void tunnel(Socket connection, URI proxy) throws IOException {
        StringBuilder head = new StringBuilder();
        line(head, "CONNECT " + target.withPort() + " HTTP/1.1");
        line(head, "Host: " + target.withPort());
        authorize(head, proxy);
        line(head, "");
        connection.getOutputStream().write(latin(head));
        Head answer = Head.read(connection.getInputStream());
        if (answer.status / 100 != 2) {
            throw new IOException("the proxy " + Place.of(proxy) + " has answered " + answer.status);
        }
    }

    private byte[] request(String form, URI proxy) {
        StringBuilder head = new StringBuilder();
        line(head, step.get("method") + " " + form + " HTTP/1.1");
        line(head, "Host: " + target);
        line(head, "Connection: close");
        byte[] body = step.get("body") == null ? new byte[0]
                : ((String) step.get("body")).getBytes(StandardCharsets.UTF_8);
        if (step.get("body") != null || step.get("method").equals("POST") || step.get("method").equals("PUT")) {
            line(head, "Content-Length: " + body.length);
        }
        for (Object header : (List<?>) step.get("headers")) {
            line(head, ((List<?>) header).get(0) + ": " + ((List<?>) header).get(1));
        }
        authorize(head, proxy);
        line(head, "");
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.writeBytes(latin(head));
        request.writeBytes(body);
        return request.toByteArray();
    }

    private static void authorize(StringBuilder head, URI proxy) {
        if (proxy != null && proxy.getUserInfo() != null) {
            line(head, "Proxy-Authorization: Basic " + Base64.getEncoder().encodeToString(
                    proxy.getUserInfo().getBytes(StandardCharsets.UTF_8)));
        }
    }

    private static void line(StringBuilder head, String line) {
        if (line.chars().anyMatch(character -> character == '\r' || character == '\n' || character > 0xFF)) {
            throw new IllegalArgumentException("the request cannot be sent: a header with a line break or a character"
                    + " beyond Latin-1");
        }
        head.append(line).append("\r\n");
    }

    private static byte[] latin(StringBuilder head) {
        return head.toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    private Map<String, Object> response(InputStream input) throws IOException {
        Head head;
        do {
            head = Head.read(input);
        } while (head.status / 100 == 1 && head.status != 101); // Interim responses, RFC 9110, section 15.2.
        boolean empty = head.status == 101 || head.status == 204 || head.status == 304
                || step.get("method").equals("HEAD");
        byte[] body = empty ? new byte[0]
                : head.isChunked() ? chunked(input) : input.readNBytes(Math.min(head.length(), limit + 1));
        if (body.length > limit) {
            return Reply.tooLarge(limit);
        }
        if (!empty && !head.isChunked() && head.hasLength() && body.length < head.length()) {
            throw new EOFException("the response is cut short");
        }
        return Map.of("reply", "response", "status", head.status, "headers", head.headers,
                "body", new String(body, StandardCharsets.UTF_8));
    }

    /** RFC 9112, section 7.1; at most one byte more than may be is read. */
    private byte[] chunked(InputStream input) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        while (body.size() <= limit) {
            String size = Head.line(input, HEAD_LIMIT).split(";", 2)[0].trim();
            if (!size.matches("[0-9A-Fa-f]{1,15}")) {
                throw new IOException("a chunk has no size");
            }
            long length = Long.parseLong(size, 16);
            if (length == 0) {
                return body.toByteArray();
            }
            int wanted = (int) Math.min(length, limit + 1 - body.size());
            byte[] chunk = input.readNBytes(wanted);
            body.writeBytes(chunk);
            boolean isWhole = chunk.length == wanted;
            if (!isWhole || (body.size() <= limit && !Head.line(input, 2).isEmpty())) {
                throw new EOFException("the response is cut short");
            }
        }
        return body.toByteArray();
    }

    /** The core has read the environment; the JVM's own properties are of no account. */
    private URI proxy() {
        return step.get("proxy") instanceof Map<?, ?> proxy ? URI.create((String) proxy.get("url")) : null;
    }

    /** A host and a port; no part of a URL that might hold a secret. {@link URI} refuses names with an underscore. */
    private record Place(String host, int port, boolean usual) {
        static Place of(URI url) {
            String authority = url.getRawAuthority();
            if (authority == null || url.getScheme() == null) {
                throw new IllegalArgumentException("not a URL of a host");
            }
            authority = authority.substring(authority.lastIndexOf('@') + 1);
            int usual = url.getScheme().equalsIgnoreCase("https") ? 443 : 80;
            int colon = authority.lastIndexOf(':');
            boolean hasPort = colon > authority.lastIndexOf(']') && colon < authority.length() - 1;
            String host = colon > authority.lastIndexOf(']') ? authority.substring(0, colon) : authority;
            int port = hasPort ? Integer.parseInt(authority.substring(colon + 1)) : usual;
            return new Place(host.startsWith("[") ? host.substring(1, host.length() - 1) : host, port, port == usual);
        }

        static String path(URI url) {
            String path = url.getRawPath() == null || url.getRawPath().isEmpty() ? "/" : url.getRawPath();
            return url.getRawQuery() == null ? path : path + "?" + url.getRawQuery();
        }

        String withPort() {
            return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
        }

        @Override
        public String toString() {
            return usual ? withPort().substring(0, withPort().lastIndexOf(':')) : withPort();
        }
    }

    /** The status line and the headers of a response. */
    private record Head(int status, List<List<String>> headers) {
        static Head read(InputStream input) throws IOException {
            int room = HEAD_LIMIT;
            String status = line(input, room);
            if (!status.matches("HTTP/1\\.[01] [1-5][0-9]{2}( .*)?")) {
                throw new IOException("what has answered is no HTTP server");
            }
            List<List<String>> headers = new ArrayList<>();
            for (String line = line(input, room); !line.isEmpty(); line = line(input, room)) {
                room -= line.length();
                int colon = line.indexOf(':');
                if (colon > 0) {
                    headers.add(List.of(line.substring(0, colon), line.substring(colon + 1).trim()));
                }
            }
            return new Head(Integer.parseInt(status.substring(9, 12)), headers);
        }

        /** A line without its end. */
        static String line(InputStream input, int room) throws IOException {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            for (int next = input.read(); next != '\n'; next = input.read()) {
                if (next < 0) {
                    throw new EOFException("the connection was closed before the response ended");
                }
                if (line.size() >= room) {
                    throw new IOException("the response has a head of more than " + HEAD_LIMIT + " bytes");
                }
                line.write(next);
            }
            String text = line.toString(StandardCharsets.ISO_8859_1);
            return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
        }

        boolean isChunked() {
            return value("transfer-encoding").toLowerCase(Locale.ROOT).endsWith("chunked");
        }

        boolean hasLength() {
            return value("content-length").matches("[0-9]{1,9}");
        }

        /** As far as it matters: no more than the limit and one byte is read. */
        int length() {
            return hasLength() ? Integer.parseInt(value("content-length")) : Integer.MAX_VALUE;
        }

        private String value(String name) {
            return headers.stream().filter(header -> header.get(0).equalsIgnoreCase(name))
                    .map(header -> header.get(1)).findFirst().orElse("");
        }
    }
}
