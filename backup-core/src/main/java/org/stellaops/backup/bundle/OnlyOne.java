package org.stellaops.backup.bundle;

import java.util.List;
import java.util.function.Function;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/** Of what a pattern matched, the one that is meant: a guess could restore the wrong backup. */
final class OnlyOne {
  private OnlyOne() {}

  static <T> T of(List<T> matched, Function<T, String> describe) throws BackupException.Refused {
    if (matched.isEmpty()) {
      throw new BackupException.Refused(CoreFailure.NOT_FOUND, "no file was given");
    }
    if (matched.size() > 1) {
      throw new BackupException.Refused(
          CoreFailure.SEVERAL_BUNDLES,
          "one file is meant, these are %d: %s"
              .formatted(matched.size(), matched.stream().map(describe).toList()));
    }
    return matched.get(0);
  }
}
