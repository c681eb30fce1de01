package org.stellaops.backup.evidence;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.internal.tar.TarIndex;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.Stopping;

/** Compares captured objects with those that a store holds under their names. */
final class Comparison {
  /** Named at most; the rest is counted. */
  private static final int NAMED = 20;

  private final ReadableStore store;
  private final Stopping stopping;
  private final byte[] buffer = new byte[1 << 16];
  private final List<String> named = new ArrayList<>();
  private long different;

  Comparison(ReadableStore store, Stopping stopping) {
    this.store = store;
    this.stopping = stopping;
  }

  /** What stands in the store under the name of an object. */
  enum Existing {
    ABSENT,
    EQUAL,
    DIFFERENT
  }

  /** Reads the index to its end. */
  void all(TarIndex.Reader index) throws IOException {
    for (var line = index.next(); line.isPresent(); line = index.next()) {
      compare(line.get());
    }
  }

  /** Looks at one object, and remembers it if it differs. */
  Existing compare(TarIndex.Line line) throws IOException {
    Existing existing = look(line);
    if (existing == Existing.DIFFERENT && different++ < NAMED) {
      named.add(line.path());
    }
    return existing;
  }

  private Existing look(TarIndex.Line line) throws IOException {
    MessageDigest digest = Digest.sha256();
    long length = 0;
    try (InputStream in = store.open(name(line), new ByteRange(0, line.sizeBytes() + 1))) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        stopping.check();
        digest.update(buffer, 0, n);
        length += n;
      }
    } catch (BackupException.Sink e) {
      if (e.reason() == Reason.NOT_FOUND) {
        return Existing.ABSENT;
      }
      throw e;
    }
    boolean isEqual =
        length == line.sizeBytes() && Digest.of(digest.digest()).equals(line.content());
    return isEqual ? Existing.EQUAL : Existing.DIFFERENT;
  }

  /** The object's name. */
  static ObjectName name(TarIndex.Line line) throws BackupException.Target {
    try {
      return ObjectName.of(line.path());
    } catch (IllegalArgumentException e) {
      throw new BackupException.Target(
          CoreFailure.UNSAFE_NAME, "the archive names no object: " + e.getMessage(), e);
    }
  }

  /** Which objects differ; empty if none does. */
  Optional<String> conflicts() {
    return different == 0
        ? Optional.empty()
        : Optional.of(
            "%d objects have other bytes: %s%s"
                .formatted(
                    different, String.join(", ", named), different > named.size() ? ", …" : ""));
  }
}
