package org.stellaops.backup.spi;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CapturedSource;

/** The writer's own memory of an earlier capture; readable without an owner's identity. */
public interface ParentCapture {
  /** What was captured then. */
  CapturedSource captured();

  /**
   * An artifact that was captured with {@link Form#remembered}, or what was given to {@link
   * CaptureSession#remember}; empty if there is no such thing, or it is lost. The caller closes the
   * stream; its bytes are verified at EOF.
   */
  Optional<InputStream> recall(ArtifactName remembered) throws IOException;
}
