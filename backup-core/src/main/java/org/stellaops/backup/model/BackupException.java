package org.stellaops.backup.model;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The world failed. Kinds are fixed, codes are open. Extends {@link IOException} so that it passes
 * through streams unwrapped.
 */
public abstract sealed class BackupException extends IOException {
  private static final long serialVersionUID = 1;

  /** Codes are enums, which serialize; the interface does not promise it. */
  private final transient FailureCode code;

  private BackupException(FailureCode code, String message, @Nullable Throwable cause) {
    super(code.code() + " " + message, cause);
    this.code = code;
  }

  /** Stable identity of this failure. */
  public final FailureCode code() {
    return code;
  }

  /** The message without the code: for a finding, which has the code of its own. */
  public final String detail() {
    return String.valueOf(getMessage()).substring(code.code().length() + 1);
  }

  /** What was to be captured could not be. */
  public static final class Source extends BackupException {
    private static final long serialVersionUID = 1;

    public Source(FailureCode code, String message, @Nullable Throwable cause) {
      super(code, message, cause);
    }

    public Source(FailureCode code, String message) {
      super(code, message, null);
    }
  }

  /** A store failed. */
  public static final class Sink extends BackupException {
    private static final long serialVersionUID = 1;
    private final Reason reason;

    public Sink(FailureCode code, Reason reason, String message, @Nullable Throwable cause) {
      super(code, message, cause);
      this.reason = reason;
    }

    public Sink(FailureCode code, Reason reason, String message) {
      this(code, reason, message, null);
    }

    /** Why, as far as callers have to tell cases apart. */
    public Reason reason() {
      return reason;
    }

    /** What callers tell apart. Only {@link #TRANSIENT} is ever retried. */
    public enum Reason {
      NOT_FOUND,
      ALREADY_EXISTS,
      DENIED,
      REFUSED,
      LOCKED,
      NO_SPACE,
      NOT_YET_RETRIEVED,
      TRANSIENT
    }
  }

  /** A key is wrong, missing, or malformed. */
  public static final class Crypto extends BackupException {
    private static final long serialVersionUID = 1;

    public Crypto(FailureCode code, String message, @Nullable Throwable cause) {
      super(code, message, cause);
    }

    public Crypto(FailureCode code, String message) {
      super(code, message, null);
    }
  }

  /** Bytes are not those that were stored. Never retried, never downgraded. */
  public static final class Corrupt extends BackupException {
    private static final long serialVersionUID = 1;
    private final transient List<Finding> damage;

    public Corrupt(FailureCode code, String message) {
      this(code, message, List.of());
    }

    /**
     * @param damage every damaged thing that was found, where more than one was looked at
     */
    public Corrupt(FailureCode code, String message, List<Finding> damage) {
      super(code, message, null);
      this.damage = List.copyOf(damage);
    }

    public Corrupt(FailureCode code, String message, @Nullable Throwable cause) {
      super(code, message, cause);
      this.damage = List.of();
    }

    /** What is damaged; empty where the message says all. */
    public List<Finding> damage() {
      return damage;
    }
  }

  /** The place to restore to failed. */
  public static final class Target extends BackupException {
    private static final long serialVersionUID = 1;

    public Target(FailureCode code, String message, @Nullable Throwable cause) {
      super(code, message, cause);
    }

    public Target(FailureCode code, String message) {
      super(code, message, null);
    }
  }

  /** We decided not to: stale plan, unknown name, name taken, invalid request. */
  public static final class Refused extends BackupException {
    private static final long serialVersionUID = 1;
    private final transient List<Finding> blockers;

    public Refused(FailureCode code, String message, List<Finding> blockers) {
      super(code, message, null);
      this.blockers = List.copyOf(blockers);
    }

    public Refused(FailureCode code, String message) {
      this(code, message, List.of());
    }

    /** Everything that stands in the way. */
    public List<Finding> blockers() {
      return blockers;
    }
  }

  /** Cancelled, interrupted, or the deadline has passed. */
  public static final class Stopped extends BackupException {
    private static final long serialVersionUID = 1;

    public Stopped(FailureCode code, String message) {
      super(code, message, null);
    }
  }
}
