package org.stellaops.backup.spi;

import java.io.IOException;
import java.util.function.UnaryOperator;

/** Where objects can be read and written. */
public interface BackupSink extends ObjectLocation {
  /** Opens it for reading and writing. Creates nothing until something is put. */
  @Override
  ObjectStore open(StoreContext context) throws IOException;

  /**
   * This sink with a wrapper around every store it opens: retrying, throttling, metering, faults.
   */
  default BackupSink with(UnaryOperator<ObjectStore> wrapper) {
    BackupSink inner = this;
    return new BackupSink() {
      @Override
      public String describe() {
        return inner.describe();
      }

      @Override
      public ObjectStore open(StoreContext context) throws IOException {
        return wrapper.apply(inner.open(context));
      }
    };
  }
}
