package org.stellaops.backup.parity;

import java.util.regex.Pattern;

/** Which names files of a repository have that are written once and then stay as they are. */
final class FileName {
  /** Where volumes are, and nothing else. */
  static final String PARITY = "parity";

  private static final int MAX_LENGTH = 1024;
  private static final String SEGMENT = "[a-z0-9][a-z0-9._-]{0,119}";

  // sink.json is not among them: it says which store this is and changes when that does; a writer
  // makes it again where it is missing. beat/ and tmp/ hold nothing that lasts.
  private static final Pattern PROTECTED =
      Pattern.compile(
          "FORMAT\\.txt|recover\\.sh|repository\\.json|(?:keys|log|w)(?:/" + SEGMENT + ")+");

  private FileName() {}

  /** Whether parity protects files of this name; such a name leads nowhere else. */
  static boolean isProtected(String name) {
    return name.length() <= MAX_LENGTH && PROTECTED.matcher(name).matches();
  }

  /** Whether it is the name of an entry in a log. */
  static boolean isEntry(String name) {
    return name.startsWith("log/") && name.endsWith(".entry");
  }
}
