package org.stellaops.backup.internal.run;

import java.io.IOException;
import org.stellaops.backup.model.BackupException;

/** What an exception of somebody else's says, for a message of ours. */
public final class Cause {
  private Cause() {}

  /**
   * Its message; with the name of its class where that says more: the message of a {@code
   * NoSuchFileException} is a path, and of a {@code ClosedChannelException} nothing.
   */
  public static String words(IOException e) {
    String message = e.getMessage();
    String kind = e.getClass().getSimpleName();
    if (message == null) {
      return kind;
    }
    boolean saysAll = e instanceof BackupException || e.getClass() == IOException.class;
    return saysAll ? message : kind + " " + message;
  }
}
