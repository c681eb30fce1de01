package org.stellaops.backup.postgres.internal.manifest;

import java.util.zip.CRC32C;
import org.stellaops.backup.postgres.internal.tar.TarMember;
import org.stellaops.backup.postgres.internal.tar.TarScanner;

/** Sums the files of one archive into the ledger, under their paths in the data directory. */
public final class SummedMembers implements TarScanner.Members {
  private final String below;
  private final FileLedger ledger;
  private final CRC32C crc = new CRC32C();

  /**
   * For one archive.
   *
   * @param below what goes before its paths: nothing, or {@code pg_tblspc/<oid>/}
   */
  public SummedMembers(String below, FileLedger ledger) {
    this.below = below;
    this.ledger = ledger;
  }

  @Override
  public void begin(TarMember member) {
    crc.reset();
  }

  @Override
  public void content(byte[] bytes, int offset, int length) {
    crc.update(bytes, offset, length);
  }

  @Override
  public void end(TarMember member) {
    if (!member.isDirectory()) {
      ledger.find(below + member.path(), FileContents.of(member.sizeBytes(), crc));
    }
  }
}
