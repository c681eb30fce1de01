/** Incremental, content-addressed backups of an evidence locker. */
module org.stellaops.backup.evidence {
  requires transitive org.stellaops.backup.core;
  requires static transitive org.jspecify;

  exports org.stellaops.backup.evidence;
}
