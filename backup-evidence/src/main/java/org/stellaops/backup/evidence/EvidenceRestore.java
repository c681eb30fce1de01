package org.stellaops.backup.evidence;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.internal.tar.TarIndex;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.internal.tar.TarReader;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.RestoreSession;

/** One restore of evidence into an open store. */
final class EvidenceRestore {
  private static final int BUFFER_BYTES = 1 << 16;

  /** An object up to this size is put from memory; a larger one is read again from its range. */
  private static final int SMALL_BYTES = 8 << 20;

  private static final int NAMED = 20;

  private final ObjectStore store;
  private final String where;
  private final RestoreSession session;
  private final CapturedSource of;
  private final byte[] buffer = new byte[BUFFER_BYTES];

  EvidenceRestore(ObjectStore store, String where, RestoreSession session) {
    this.store = store;
    this.where = where;
    this.session = session;
    this.of = session.chain().get(session.chain().size() - 1);
  }

  /** What stands in the store under the name of an object. */
  private enum Existing {
    ABSENT,
    EQUAL,
    DIFFERENT
  }

  /** Reads the archive to its end, and compares it with its index and with the store. */
  void compare() throws IOException {
    List<String> conflicts = new ArrayList<>();
    long[] conflictCount = new long[1];
    each(
        (line, tar) -> {
          Digest found = digest(tar);
          if (!found.equals(line.content())) {
            throw new BackupException.Corrupt(
                CoreFailure.CORRUPT_OBJECT,
                "'%s' has SHA-256 %s, captured was %s"
                    .formatted(line.path(), found, line.content()));
          }
          if (existing(line) == Existing.DIFFERENT && conflictCount[0]++ < NAMED) {
            conflicts.add(line.path());
          }
        });
    if (conflictCount[0] > 0) {
      throw new BackupException.Target(
          CoreFailure.CONTENT_DIFFERS,
          "%s holds %d objects with other bytes, nothing was put: %s"
              .formatted(where, conflictCount[0], String.join(", ", conflicts)));
    }
  }

  /** Puts what is absent. */
  void put() throws IOException {
    each(
        (line, tar) -> {
          switch (existing(line)) {
            case ABSENT -> put(line, tar);
            case EQUAL -> {}
            case DIFFERENT ->
                throw new BackupException.Target(
                    CoreFailure.CONTENT_DIFFERS,
                    "%s holds '%s' with other bytes".formatted(where, line.path()));
          }
        });
  }

  private void put(TarIndex.Line line, TarReader tar) throws IOException {
    ObjectName name = name(line);
    try {
      store.put(name, line.sizeBytes() <= SMALL_BYTES ? small(line, tar) : large(line));
    } catch (BackupException.Sink e) {
      // Somebody else put it meanwhile: evidence is written once, so it has to be the same.
      if (e.reason() != Reason.ALREADY_EXISTS || existing(line) != Existing.EQUAL) {
        throw e;
      }
    }
  }

  private static ObjectBody small(TarIndex.Line line, TarReader tar) throws IOException {
    byte[] bytes = new byte[(int) line.sizeBytes()];
    int length = 0;
    while (length < bytes.length) {
      length += tar.read(bytes, length, bytes.length - length);
    }
    if (!Digest.ofContent(bytes).equals(line.content())) {
      throw new BackupException.Corrupt(
          CoreFailure.CORRUPT_OBJECT, "'%s' is not what was captured".formatted(line.path()));
    }
    return ObjectBody.of(bytes, bytes.length, line.content());
  }

  /** The store compares the digest, which the range alone would not prove. */
  private ObjectBody large(TarIndex.Line line) {
    return new ObjectBody() {
      @Override
      public long lengthBytes() {
        return line.sizeBytes();
      }

      @Override
      public Digest digest() {
        return line.content();
      }

      @Override
      public InputStream open() throws IOException {
        return session.open(of, EvidenceSource.TAR, new ByteRange(line.offset(), line.sizeBytes()));
      }
    };
  }

  private Existing existing(TarIndex.Line line) throws IOException {
    MessageDigest digest = Digest.sha256();
    long length = 0;
    try (InputStream in = store.open(name(line), new ByteRange(0, line.sizeBytes() + 1))) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        session.stopping().check();
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

  private static ObjectName name(TarIndex.Line line) throws BackupException.Target {
    try {
      return ObjectName.of(line.path());
    } catch (IllegalArgumentException e) {
      throw new BackupException.Target(
          CoreFailure.UNSAFE_NAME, "the archive names no object: " + e.getMessage(), e);
    }
  }

  private Digest digest(TarReader tar) throws IOException {
    MessageDigest digest = Digest.sha256();
    for (int n = tar.read(buffer, 0, buffer.length);
        n >= 0;
        n = tar.read(buffer, 0, buffer.length)) {
      session.stopping().check();
      digest.update(buffer, 0, n);
    }
    return Digest.of(digest.digest());
  }

  /** Archive and index side by side. */
  private void each(Visitor visitor) throws IOException {
    CapturedArtifact archive =
        of.artifact(EvidenceSource.TAR).orElseThrow(() -> malformed("the capture has no archive"));
    long bytes = 0;
    long objects = 0;
    try (var in = session.open(of, EvidenceSource.TAR);
        var index =
            new TarIndex.Reader(
                session.open(of, EvidenceSource.INDEX), EvidenceSource.INDEX.value())) {
      var tar = new TarReader(in, EvidenceSource.TAR.value(), archive.plainBytes());
      for (var member = tar.next(); member.isPresent(); member = tar.next()) {
        session.stopping().check();
        TarIndex.Line line =
            index.next().orElseThrow(() -> malformed("the index ends before the archive"));
        requireSame(line, member.get(), tar.offset());
        visitor.visit(line, tar);
        bytes += line.sizeBytes();
        objects++;
        session.progress(bytes, objects, archive.plainBytes());
      }
      if (index.next().isPresent()) {
        throw malformed("the index goes on behind the archive");
      }
    }
  }

  private static void requireSame(TarIndex.Line line, TarMember member, long offset)
      throws BackupException.Corrupt {
    boolean isSame =
        member.type() == TarMember.Type.FILE
            && line.type() == TarMember.Type.FILE
            && line.path().equals(member.name())
            && line.sizeBytes() == member.sizeBytes()
            && line.offset() == offset;
    if (!isSame) {
      throw malformed(
          "the index says '%s' where the archive says '%s'".formatted(line.path(), member.name()));
    }
  }

  private static BackupException.Corrupt malformed(String how) {
    return new BackupException.Corrupt(CoreFailure.MALFORMED, "evidence: " + how);
  }

  @FunctionalInterface
  private interface Visitor {
    void visit(TarIndex.Line line, TarReader tar) throws IOException;
  }
}
