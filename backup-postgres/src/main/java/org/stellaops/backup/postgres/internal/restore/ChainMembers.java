package org.stellaops.backup.postgres.internal.restore;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.postgres.internal.increment.IncrementalPath;
import org.stellaops.backup.postgres.internal.manifest.FileContents;
import org.stellaops.backup.postgres.internal.manifest.FileLedger;
import org.stellaops.backup.postgres.internal.tar.TarMember;
import org.stellaops.backup.postgres.internal.tar.TarScanner;

/**
 * One archive of one capture of a chain: every file is compared with that capture's manifest, and
 * what the restored cluster needs of it is written.
 */
final class ChainMembers implements TarScanner.Members, AutoCloseable {
  private final String below;
  private final FileLedger ledger;
  private final Combination combination;
  private final @Nullable Path into;
  private final @Nullable Extraction extraction;
  private final CRC32C crc = new CRC32C();
  private boolean isExtracted;
  private @Nullable Piece piece;

  private ChainMembers(
      String below,
      FileLedger ledger,
      Combination combination,
      Executor executor,
      @Nullable Path into) {
    this.below = below;
    this.ledger = ledger;
    this.combination = combination;
    this.into = into;
    this.extraction = into == null ? null : new Extraction(into, below, ledger, executor);
  }

  /**
   * Of the newest capture, which is unpacked.
   *
   * @param below what goes before its paths in the manifest
   * @param ledger knows already what the manifest declares
   */
  static ChainMembers newest(
      Path into, String below, FileLedger ledger, Combination combination, Executor executor) {
    return new ChainMembers(below, ledger, combination, executor, into);
  }

  /** Of another one, from which gaps are filled. */
  static ChainMembers older(
      String below, FileLedger ledger, Combination combination, Executor executor) {
    return new ChainMembers(below, ledger, combination, executor, null);
  }

  @Override
  public void begin(TarMember member) throws IOException {
    String path = below + member.path();
    Optional<String> whole = member.isDirectory() ? Optional.empty() : IncrementalPath.whole(path);
    isExtracted = extraction != null && whole.isEmpty();
    if (extraction != null && isExtracted) {
      extraction.begin(member);
      return;
    }
    crc.reset();
    if (into != null) {
      Path staged = into.resolve(whole.orElse(path).substring(below.length()));
      piece = combination.newest(path, whole.orElse(path), member.sizeBytes(), staged);
    } else if (!member.isDirectory()) {
      piece = combination.older(path, member.sizeBytes()).orElse(null);
    }
  }

  @Override
  public void content(byte[] bytes, int offset, int length) throws IOException {
    if (extraction != null && isExtracted) {
      extraction.content(bytes, offset, length);
      return;
    }
    crc.update(bytes, offset, length);
    if (piece != null) {
      piece.accept(bytes, offset, length);
    }
  }

  @Override
  public void end(TarMember member) throws IOException {
    if (extraction != null && isExtracted) {
      extraction.end(member);
    } else if (!member.isDirectory()) {
      var contents = FileContents.of(member.sizeBytes(), crc);
      ledger.find(below + member.path(), contents);
      Extraction.requireNone(ledger.problems());
      if (piece != null) {
        piece.end(contents);
      }
      closePiece();
    }
  }

  @Override
  public void close() throws IOException {
    try {
      closePiece();
    } finally {
      if (extraction != null) {
        extraction.close();
      }
    }
  }

  private void closePiece() throws IOException {
    Piece open = piece;
    piece = null;
    if (open != null) {
      open.close();
    }
  }
}
