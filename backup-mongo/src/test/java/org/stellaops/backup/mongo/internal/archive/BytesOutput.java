package org.stellaops.backup.mongo.internal.archive;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.spi.ArtifactOutput;

/** An artifact in memory. */
final class BytesOutput extends ArtifactOutput {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final List<Integer> boundaries = new ArrayList<>();

  @Override
  public void boundary() {
    boundaries.add(bytes.size());
  }

  @Override
  public void write(byte[] buffer, int offset, int length) {
    bytes.write(buffer, offset, length);
  }

  byte[] bytes() {
    return bytes.toByteArray();
  }

  List<Integer> boundaries() {
    return boundaries;
  }
}
