package org.stellaops.backup.postgres.internal.manifest;

import java.security.MessageDigest;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.postgres.internal.tar.TarMember;
import org.stellaops.backup.postgres.internal.tar.TarScanner;

/** Hashes the files of one archive into the ledger, under their paths in the data directory. */
public final class HashedMembers implements TarScanner.Members {
  private final String below;
  private final FileLedger ledger;
  private final MessageDigest digest = Digest.sha256();

  /**
   * For one archive.
   *
   * @param below what goes before its paths: nothing, or {@code pg_tblspc/<oid>/}
   */
  public HashedMembers(String below, FileLedger ledger) {
    this.below = below;
    this.ledger = ledger;
  }

  @Override
  public void begin(TarMember member) {
    digest.reset();
  }

  @Override
  public void content(byte[] bytes, int offset, int length) {
    digest.update(bytes, offset, length);
  }

  @Override
  public void end(TarMember member) {
    if (!member.isDirectory()) {
      Digest plain = Digest.of(digest.digest());
      ledger.find(below + member.path(), new FileContents(member.sizeBytes(), plain));
    }
  }
}
