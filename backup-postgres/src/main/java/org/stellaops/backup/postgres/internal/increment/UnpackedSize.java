package org.stellaops.backup.postgres.internal.increment;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.postgres.internal.tar.TarMember;
import org.stellaops.backup.postgres.internal.tar.TarScanner;

/** Counts what one archive of an increment takes when it has been combined with those before. */
public final class UnpackedSize implements TarScanner.Members {
  private final String below;
  private final TarScanner.Members inner;
  private @Nullable IncrementalHeader header;
  private long bytes;

  /**
   * For one archive.
   *
   * @param below what goes before its paths in the data directory
   * @param inner gets the members, too
   */
  public UnpackedSize(String below, TarScanner.Members inner) {
    this.below = below;
    this.inner = inner;
  }

  /** What the members so far take. */
  public long bytes() {
    return bytes;
  }

  @Override
  public void begin(TarMember member) throws IOException {
    String path = below + member.path();
    boolean isChanged = !member.isDirectory() && IncrementalPath.whole(path).isPresent();
    header = isChanged ? new IncrementalHeader(path, member.sizeBytes()) : null;
    inner.begin(member);
  }

  @Override
  public void content(byte[] content, int offset, int length) throws IOException {
    if (header != null) {
      header.accept(content, offset, length);
    }
    inner.content(content, offset, length);
  }

  @Override
  public void end(TarMember member) throws IOException {
    bytes +=
        header == null
            ? member.sizeBytes()
            : (long) header.wholeBlocks() * IncrementalHeader.BLOCK_BYTES;
    inner.end(member);
  }
}
