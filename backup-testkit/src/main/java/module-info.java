/** Strict fakes, fault and damage injection, and contract suites for implementors of the SPIs. */
module org.stellaops.backup.testkit {
  requires transitive org.stellaops.backup.core;
  requires static transitive org.jspecify;
  requires transitive org.junit.jupiter.api;

  exports org.stellaops.backup.testkit;
}
