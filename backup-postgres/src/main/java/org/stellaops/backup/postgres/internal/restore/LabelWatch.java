package org.stellaops.backup.postgres.internal.restore;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresFailure;
import org.stellaops.backup.postgres.internal.tar.TarMember;
import org.stellaops.backup.postgres.internal.tar.TarScanner;

/** Keeps the {@code backup_label} of the archive that passes; hands all members on. */
final class LabelWatch implements TarScanner.Members {
  private static final int MAX_LABEL_BYTES = 64 << 10;

  private final TarScanner.Members inner;
  private final ByteArrayOutputStream label = new ByteArrayOutputStream();
  private boolean isLabel;

  LabelWatch(TarScanner.Members inner) {
    this.inner = inner;
  }

  /** What it says; only behind the end of the archive. */
  BackupLabel label() {
    return new BackupLabel(label.toString(StandardCharsets.UTF_8));
  }

  @Override
  public void begin(TarMember member) throws IOException {
    isLabel = member.path().equals(BackupLabel.NAME);
    if (isLabel && member.sizeBytes() > MAX_LABEL_BYTES) {
      throw new BackupException.Corrupt(
          PostgresFailure.CHAIN_BROKEN,
          "backup_label has %d bytes, at most %d are possible"
              .formatted(member.sizeBytes(), MAX_LABEL_BYTES));
    }
    inner.begin(member);
  }

  @Override
  public void content(byte[] bytes, int offset, int length) throws IOException {
    if (isLabel) {
      label.write(bytes, offset, length);
    }
    inner.content(bytes, offset, length);
  }

  @Override
  public void end(TarMember member) throws IOException {
    inner.end(member);
  }
}
