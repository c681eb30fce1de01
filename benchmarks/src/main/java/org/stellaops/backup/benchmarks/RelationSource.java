package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.SourceDescription;

/** One relation in a tar, as a base backup would have it. */
record RelationSource(Path relation) implements BackupSource {
  @Override
  public SourceDescription describe() {
    return SourceDescription.of("relation/1", Component.DATABASE, Stage.DATABASE);
  }

  @Override
  public void check(Checks checks) {}

  @Override
  public void capture(CaptureSession session) throws IOException {
    session.artifact(
        ArtifactName.of("base.tar"),
        Form.BLOCKS,
        out -> {
          out.write(header(Files.size(relation)));
          Files.copy(relation, out);
          padding(out);
        });
  }

  private static void padding(OutputStream out) throws IOException {
    out.write(new byte[1024]);
  }

  private static byte[] header(long size) {
    byte[] header = new byte[512];
    put(header, 0, "base/1/16384");
    put(header, 100, "0000600");
    put(header, 124, "%011o".formatted(size));
    put(header, 148, "        ");
    put(header, 156, "0");
    put(header, 257, "ustar");
    int sum = 0;
    for (byte b : header) {
      sum += b & 0xff;
    }
    put(header, 148, "%06o\0 ".formatted(sum));
    return header;
  }

  private static void put(byte[] header, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, header, at, bytes.length);
  }
}
