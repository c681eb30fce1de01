package org.stellaops.backup.internal.cloud;

import java.security.cert.CertificateException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;

/** Failures at one place in a cloud: what was tried, where, and what was found. */
public final class StoreFailures {
  private static final int MAX_DEPTH = 20;

  private final String place;

  /**
   * Those at a place.
   *
   * @param place as a sink describes itself
   */
  public StoreFailures(String place) {
    this.place = place;
  }

  /** What was tried, and where. */
  public String place(String tried) {
    return "%s in %s".formatted(tried, place);
  }

  /**
   * Any failure.
   *
   * @param found what was found; what was tried is said before it
   */
  public BackupException.Sink of(
      CoreFailure code, Reason reason, String tried, String found, @Nullable Throwable cause) {
    return new BackupException.Sink(code, reason, place(tried) + ": " + found, cause);
  }

  /** Something else has that name, and we know. */
  public BackupException.Sink exists(String tried, @Nullable Throwable cause) {
    return of(CoreFailure.OBJECT_EXISTS, Reason.ALREADY_EXISTS, tried, "it exists", cause);
  }

  /** Nothing has that name. */
  public BackupException.Sink notFound(String tried) {
    return of(CoreFailure.OBJECT_NOT_FOUND, Reason.NOT_FOUND, tried, "not found", null);
  }

  /** Something had that name, and nothing has it any more. */
  public BackupException.Sink vanished(String tried, Throwable cause) {
    return of(
        CoreFailure.SINK_FAILED,
        Reason.TRANSIENT,
        tried,
        "something of that name was there and is gone",
        cause);
  }

  /** It will not be done, however often it is tried. */
  public BackupException.Sink refused(String tried, String why) {
    return of(CoreFailure.SINK_FAILED, Reason.REFUSED, tried, why, null);
  }

  /** What was read is not what was announced. */
  public BackupException.Sink cut(String tried, String found) {
    return of(CoreFailure.STORE_UNREACHABLE, Reason.TRANSIENT, tried, found, null);
  }

  /** Nothing can be protected there. */
  public BackupException.Sink cannotLock(String tried, String why, Throwable cause) {
    return of(CoreFailure.LOCK_MISSING, Reason.REFUSED, tried, why, cause);
  }

  /** The run was interrupted; the flag is set again. */
  public BackupException.Stopped interrupted(String tried) {
    Thread.currentThread().interrupt();
    return new BackupException.Stopped(
        CoreFailure.CANCELLED, "interrupted: %s".formatted(place(tried)));
  }

  /**
   * Whether nobody vouches for the server's certificate, which stays so: a handshake that was cut
   * off, like whatever else the network does, may pass.
   */
  public static boolean isDistrusted(Throwable e) {
    return find(e, CertificateException.class) != null
        || find(e, SSLPeerUnverifiedException.class) != null;
  }

  /** The first of that type among an exception and its causes; null if there is none. */
  public static @Nullable Throwable find(Throwable e, Class<? extends Throwable> type) {
    Throwable at = e;
    for (int depth = 0; at != null && depth < MAX_DEPTH; depth++) {
      if (type.isInstance(at)) {
        return at;
      }
      at = at.getCause();
    }
    return null;
  }
}
