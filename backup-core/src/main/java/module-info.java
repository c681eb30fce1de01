/** Model, SPIs, plan, engine and repository; knows no technology. */
module org.stellaops.backup.core {
  requires static transitive org.jspecify;
  requires com.fasterxml.jackson.databind;
  requires com.github.luben.zstd_jni;
  requires org.apache.commons.compress;
  requires org.slf4j;

  exports org.stellaops.backup.plan;
  exports org.stellaops.backup;
  exports org.stellaops.backup.model;
  exports org.stellaops.backup.spi;
}
