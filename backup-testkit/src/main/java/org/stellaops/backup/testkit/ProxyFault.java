package org.stellaops.backup.testkit;

import java.time.Duration;
import java.util.Map;

/** What becomes of one request at a {@link FaultyProxy}. */
public final class ProxyFault {
  private static final ProxyFault NONE = new ProxyFault(Kind.NONE, 0, Map.of(), "");

  private final Kind kind;
  private final long amount;
  private final Map<String, String> headers;
  private final String body;

  private ProxyFault(Kind kind, long amount, Map<String, String> headers, String body) {
    if (amount < 0) {
      throw new IllegalArgumentException("negative: " + amount);
    }
    this.kind = kind;
    this.amount = amount;
    this.headers = Map.copyOf(headers);
    this.body = body;
  }

  /** Nothing: it is forwarded, and its reply comes back. */
  public static ProxyFault none() {
    return NONE;
  }

  /** It is forwarded so much later. */
  public static ProxyFault latency(Duration latency) {
    return new ProxyFault(Kind.LATENCY, latency.toMillis(), Map.of(), "");
  }

  /** The client's connection is reset before the server sees anything of it. */
  public static ProxyFault reset() {
    return new ProxyFault(Kind.RESET, 0, Map.of(), "");
  }

  /**
   * The server gets so many bytes of the body, as the client sends them (with the framing of chunks
   * if it sends chunks); then both connections are reset. A body of fewer bytes is delivered whole,
   * and the reply is lost.
   */
  public static ProxyFault resetInBody(long afterBytes) {
    return new ProxyFault(Kind.RESET_IN_BODY, afterBytes, Map.of(), "");
  }

  /** The server does it; the client's connection is reset instead of a reply. */
  public static ProxyFault lostReply() {
    return new ProxyFault(Kind.LOST_REPLY, 0, Map.of(), "");
  }

  /** The server sees nothing of it; the client gets this status without a body. */
  public static ProxyFault status(int status) {
    return status(status, Map.of(), "");
  }

  /**
   * The server sees nothing of it; the client gets this reply.
   *
   * @param headers more than {@code Content-Length}, which is given
   */
  public static ProxyFault status(int status, Map<String, String> headers, String body) {
    return new ProxyFault(Kind.STATUS, status, headers, body);
  }

  /**
   * The server does it; the client gets the reply's head and so many bytes of its body, then the
   * end. A reply with a shorter body arrives whole, and the connection ends after it.
   */
  public static ProxyFault truncatedReply(long afterBytes) {
    return new ProxyFault(Kind.TRUNCATED_REPLY, afterBytes, Map.of(), "");
  }

  Kind kind() {
    return kind;
  }

  /** Bytes, milliseconds or a status: as the kind says. */
  long amount() {
    return amount;
  }

  Map<String, String> headers() {
    return headers;
  }

  String body() {
    return body;
  }

  @Override
  public String toString() {
    return switch (kind) {
      case NONE, RESET, LOST_REPLY -> kind.name();
      case LATENCY, RESET_IN_BODY, STATUS, TRUNCATED_REPLY -> kind + " " + amount;
    };
  }

  /** The ways in which it fails. */
  enum Kind {
    NONE,
    LATENCY,
    RESET,
    RESET_IN_BODY,
    LOST_REPLY,
    STATUS,
    TRUNCATED_REPLY
  }
}
