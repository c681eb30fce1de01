package org.stellaops.backup.mongo.internal.driver;

import com.mongodb.MongoBulkWriteException;
import com.mongodb.MongoCommandException;
import com.mongodb.MongoException;
import com.mongodb.MongoInterruptedException;
import com.mongodb.MongoQueryException;
import com.mongodb.MongoSecurityException;
import com.mongodb.MongoSocketException;
import com.mongodb.MongoTimeoutException;
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
  private static final int MAX_MESSAGE_CHARACTERS = 300;

  private DriverErrors() {}

  /** A source could not be read; {@code what} was tried. */
  public static BackupException source(String what, MongoException e) {
    return e instanceof MongoInterruptedException
        ? interrupted(what)
        : new BackupException.Source(code(e), what + ": " + describe(e), e);
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
    return e instanceof MongoSocketException || e instanceof MongoTimeoutException;
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
    if (e instanceof MongoBulkWriteException bulk && bulk.getWriteConcernError() != null) {
      return "documents were not replicated in time";
    }
    return "connection failed with " + e.getClass().getSimpleName();
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
