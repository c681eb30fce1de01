package org.stellaops.backup.mongo.internal.capture;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The database could not be held together at the level that was tried; a lower one may do. Does not
 * leave this package.
 */
final class NotHeldException extends IOException {
  private static final long serialVersionUID = 1;

  private final boolean isWorthAnotherPass;

  private NotHeldException(String message, boolean isWorthAnotherPass, @Nullable Throwable cause) {
    super(message, cause);
    this.isWorthAnotherPass = isWorthAnotherPass;
  }

  /** The level cannot be had. */
  static NotHeldException forGood(String message, @Nullable Throwable cause) {
    return new NotHeldException(message, false, cause);
  }

  /** Something moved; it may not the next time. */
  static NotHeldException thisTime(String message) {
    return new NotHeldException(message, true, null);
  }

  boolean isWorthAnotherPass() {
    return isWorthAnotherPass;
  }

  String reason() {
    return String.valueOf(getMessage());
  }
}
