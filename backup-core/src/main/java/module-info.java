/** Model, SPIs, plan, engine and repository; knows no technology. */
@SuppressWarnings("module") // knows the names of modules that are compiled after it
module org.stellaops.backup.core {
  requires static transitive org.jspecify;
  requires com.fasterxml.jackson.databind;
  requires com.github.luben.zstd_jni;
  requires org.slf4j;
  requires jdk.unsupported; // ExtendedOpenOption.DIRECT, to read what a medium really holds

  exports org.stellaops.backup;
  exports org.stellaops.backup.bundle;
  exports org.stellaops.backup.files;
  exports org.stellaops.backup.model;
  exports org.stellaops.backup.plan;
  exports org.stellaops.backup.retention;
  exports org.stellaops.backup.secrets;
  exports org.stellaops.backup.spi;
  exports org.stellaops.backup.store;

  uses org.stellaops.backup.spi.LocationProvider;

  // The same archive and the same disks, for sources and targets of other modules.
  exports org.stellaops.backup.internal.disk to
      org.stellaops.backup.evidence,
      org.stellaops.backup.parity,
      org.stellaops.backup.postgres;
  exports org.stellaops.backup.internal.tar to
      org.stellaops.backup.evidence;

  // What clouds have in common.
  exports org.stellaops.backup.internal.cloud to
      org.stellaops.backup.storage.azure,
      org.stellaops.backup.storage.gcs,
      org.stellaops.backup.storage.s3;

  // The only Jackson, for the headers of parity volumes.
  exports org.stellaops.backup.internal.json to
      org.stellaops.backup.parity;

  // The same frames, from a server that compresses.
  exports org.stellaops.backup.internal.zstd to
      org.stellaops.backup.postgres;
}
