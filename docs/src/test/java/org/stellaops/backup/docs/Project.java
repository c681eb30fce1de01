package org.stellaops.backup.docs;

import java.nio.file.Path;

/** What Maven tells the checks about the build they run in. */
final class Project {
  private Project() {}

  /** The checkout. */
  static Path root() {
    return Path.of(property("project.root"));
  }

  static String property(String name) {
    String value = System.getProperty(name);
    if (value == null) {
      throw new IllegalStateException(
          "'" + name + "' is not set: these checks read what a whole build wrote; run mvn verify");
    }
    return value;
  }
}
