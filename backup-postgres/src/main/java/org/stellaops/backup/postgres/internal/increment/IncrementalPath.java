package org.stellaops.backup.postgres.internal.increment;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which files of a backup hold only the changed blocks of a relation. */
public final class IncrementalPath {
  /** As sendDir in src/backend/backup/basebackup.c names them; no other file is ever sent so. */
  private static final Pattern CHANGED =
      Pattern.compile(
          "((?:global|base/[0-9]+|pg_tblspc/[0-9]+/[^/]+/[0-9]+)/)INCREMENTAL\\."
              + "([0-9]+(?:_[a-z]+)?(?:\\.[0-9]+)?)");

  private IncrementalPath() {}

  /** Path of the relation's file whose changed blocks {@code path} holds; else empty. */
  public static Optional<String> whole(String path) {
    Matcher changed = CHANGED.matcher(path);
    return changed.matches() ? Optional.of(changed.group(1) + changed.group(2)) : Optional.empty();
  }

  /** Path of what holds the changed blocks of the relation's file {@code whole}. */
  public static String changed(String whole) {
    int name = whole.lastIndexOf('/') + 1;
    return whole.substring(0, name) + "INCREMENTAL." + whole.substring(name);
  }
}
