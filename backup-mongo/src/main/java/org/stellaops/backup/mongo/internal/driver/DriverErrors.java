package org.stellaops.backup.mongo.internal.driver;

import com.mongodb.MongoBulkWriteException;
import com.mongodb.MongoCommandException;
import com.mongodb.MongoConnectionPoolClearedException;
import com.mongodb.MongoCursorNotFoundException;
import com.mongodb.MongoException;
import com.mongodb.MongoInterruptedException;
import com.mongodb.MongoNodeIsRecoveringException;
import com.mongodb.MongoNotPrimaryException;
import com.mongodb.MongoQueryException;
import com.mongodb.MongoSecurityException;
import com.mongodb.MongoSocketException;
import com.mongodb.MongoTimeoutException;
import java.util.Set;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.mongo.MongoFailure;

/**
 * What the driver throws, in our words. Messages are taken from what the server said; the driver's
 * own may hold user names and options of the connection.
 */
public final class DriverErrors {
  /** Error codes of the server (mongo, src/mongo/base/error_codes.yml). */
  private static final int UNAUTHORIZED = 13;

  private static final int AUTHENTICATION_FAILED = 18;
  private static final int SNAPSHOT_TOO_OLD = 239;
  private static final int SNAPSHOT_UNAVAILABLE = 246;

  /**
   * HostUnreachable, HostNotFound, NetworkTimeout, ShutdownInProgress, PrimarySteppedDown,
   * ExceededTimeLimit, SocketException, NotWritablePrimary, InterruptedAtShutdown,
   * InterruptedDueToReplStateChange, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary.
   */
  private static final Set<Integer> TRANSIENT =
      Set.of(6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436);

  private static final int MAX_MESSAGE_CHARACTERS = 300;

  private DriverErrors() {}

  /** A source could not be read; {@code what} was tried. */
  public static BackupException source(String what, MongoException e) {
    return e instanceof MongoInterruptedException
        ? interrupted(what)
        : new BackupException.Source(code(e), what + ": " + describe(e) + missing(e), e);
  }

  /** A target could not be read or written; {@code what} was tried. */
  public static BackupException target(FailureCode otherwise, String what, MongoException e) {
    if (e instanceof MongoInterruptedException) {
      return interrupted(what);
    }
    FailureCode code = code(e);
    return new BackupException.Target(
        code == MongoFailure.SERVER_FAILED ? otherwise : code, what + ": " + describe(e), e);
  }

  /** Whether the server refused for want of rights. */
  public static boolean isDenied(MongoException e) {
    return e instanceof MongoSecurityException
        || e.getCode() == UNAUTHORIZED
        || e.getCode() == AUTHENTICATION_FAILED;
  }

  /** Whether no server answered. */
  public static boolean isUnreachable(MongoException e) {
    return e instanceof MongoSocketException
        || e instanceof MongoTimeoutException
        || e instanceof MongoConnectionPoolClearedException;
  }

  /**
   * Whether the same may succeed when it is tried again: the connection is gone, or who answered is
   * not the primary any more. What was tried may have been done all the same.
   */
  public static boolean isTransient(MongoException e) {
    return isUnreachable(e)
        || e instanceof MongoNotPrimaryException
        || e instanceof MongoNodeIsRecoveringException
        || e instanceof MongoCursorNotFoundException
        || e.hasErrorLabel("RetryableWriteError")
        || TRANSIENT.contains(e.getCode())
        || isUnreplicated(e);
  }

  private static boolean isUnreplicated(MongoException e) {
    return e instanceof NotReplicatedException
        || (e instanceof MongoBulkWriteException bulk && bulk.getWriteConcernError() != null);
  }

  /** What happened, without anything that the connection was made with. */
  public static String describe(MongoException e) {
    if (e instanceof MongoSecurityException) {
      return "authentication failed";
    }
    if (e instanceof MongoTimeoutException) {
      return "no server answered in time";
    }
    if (e instanceof MongoCommandException command) {
      return said(command.getErrorCode(), command.getErrorCodeName(), command.getErrorMessage());
    }
    if (e instanceof MongoQueryException query) {
      return said(query.getErrorCode(), query.getErrorCodeName(), query.getErrorMessage());
    }
    if (isUnreplicated(e)) {
      return "documents were not replicated in time";
    }
    return "connection failed with " + e.getClass().getSimpleName();
  }

  /** What a role would need, where the server refused for want of it. */
  public static String missing(MongoException e) {
    return isDenied(e)
        ? MissingPrivilege.of(e).map(p -> ". missing privilege: " + p).orElse("")
        : "";
  }

  /** Whether the documents of a cluster time are not to be had any more, or not yet. */
  public static boolean isSnapshotGone(MongoException e) {
    return e.getCode() == SNAPSHOT_TOO_OLD || e.getCode() == SNAPSHOT_UNAVAILABLE;
  }

  /** Whether they are gone because it took too long. */
  public static boolean isSnapshotTooOld(MongoException e) {
    return e.getCode() == SNAPSHOT_TOO_OLD;
  }

  private static FailureCode code(MongoException e) {
    if (isDenied(e)) {
      return MongoFailure.NOT_PERMITTED;
    }
    return isUnreachable(e) ? MongoFailure.UNREACHABLE : MongoFailure.SERVER_FAILED;
  }

  private static String said(int code, String name, String message) {
    String text =
        message.length() > MAX_MESSAGE_CHARACTERS
            ? message.substring(0, MAX_MESSAGE_CHARACTERS) + "…"
            : message;
    return "server said %d %s: %s".formatted(code, name, text.replaceAll("\\p{Cntrl}", " "));
  }

  private static BackupException interrupted(String what) {
    Thread.currentThread().interrupt();
    return new BackupException.Stopped(CoreFailure.CANCELLED, what + ": interrupted");
  }
}
