package org.stellaops.backup.architecture.broken.model;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.stellaops.backup.architecture.broken.spi.KnowsThePipeline;

/** A value that looks at its surroundings. */
final class KnowsAnSpi {
  KnowsThePipeline spi;

  Instant read(Path file) {
    return Files.exists(file) ? Instant.now() : Instant.EPOCH;
  }
}
