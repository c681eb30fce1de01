package org.stellaops.backup.files;

import java.io.IOException;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.TargetDescription;

/** Targets around targets. */
final class FileTargets {
  private FileTargets() {}

  /** One whose publishing settles the other. */
  static RestoreTarget settling(RestoreTarget target) {
    return new RestoreTarget() {
      @Override
      public TargetDescription describe() {
        return target.describe();
      }

      @Override
      public boolean accepts(SourceKind kind) {
        return target.accepts(kind);
      }

      @Override
      public void plan(RestorePlanning planning) throws IOException {
        target.plan(planning);
      }

      @Override
      public void stage(RestoreSession session) throws IOException {
        target.stage(session);
      }

      @Override
      public void publish(RestoreSession session) throws IOException {
        target.settle(session);
      }

      @Override
      public void rollBack(RestoreSession session) throws IOException {
        target.rollBack(session);
      }
    };
  }
}
