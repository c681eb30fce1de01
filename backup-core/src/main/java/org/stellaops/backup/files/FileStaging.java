package org.stellaops.backup.files;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.stellaops.backup.internal.disk.AttributeWriter;
import org.stellaops.backup.internal.disk.ContentDigest;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.internal.disk.SyncQueue;
import org.stellaops.backup.internal.tar.TarIndex;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.internal.tar.TarReader;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.RestoreSession;

/**
 * Writes every member of an archive to its staging place, compared with the index, and durable.
 *
 * <p>A directory is staged as an empty one that carries its attributes, for the real one gets them
 * last, when everything is in it.
 */
final class FileStaging {
  private final FileTarget.Options options;
  private final RestoreSession session;
  private final CapturedFiles captured;
  private final StagingPlaces places;
  private final Set<String> missedAttributes;
  private final AttributeWriter attributes = new AttributeWriter();
  private long number;
  private long bytes;

  /**
   * @param missedAttributes receives the kinds of attributes that could not be set
   */
  FileStaging(
      FileTarget.Options options,
      RestoreSession session,
      StagingPlaces places,
      Set<String> missedAttributes) {
    this.options = options;
    this.session = session;
    this.captured = new CapturedFiles(session);
    this.places = places;
    this.missedAttributes = missedAttributes;
  }

  /** Nothing of this run may be staged yet. */
  void run() throws IOException {
    FileConflicts found = conflicts();
    makePlaces();
    extract(found.bytes());
  }

  private FileConflicts conflicts() throws IOException {
    try (var index = captured.index()) {
      var found = FileConflicts.of(index, options);
      if (!found.isFree()) {
        throw new BackupException.Target(
            CoreFailure.TARGET_NOT_EMPTY,
            "in the way in %s: %s. hint: FileTarget.replace()"
                .formatted(options.root(), found.conflicts()));
      }
      return found;
    }
  }

  private void makePlaces() throws IOException {
    boolean isRootMade = !Files.isDirectory(options.root());
    PrivateFiles.createAllShared(options.root());
    PrivateFiles.createDirectory(places.directory());
    if (isRootMade) {
      PrivateFiles.create(places.rootMade(), new byte[0]);
    }
    PrivateFiles.createDirectory(places.allNew());
    PrivateFiles.createDirectory(places.allKept());
  }

  private void extract(long expectedBytes) throws IOException {
    try (var digest = new ContentDigest(session.executor());
        var syncs = new SyncQueue(session.executor())) {
      for (CapturedFiles.Section section : captured.sections()) {
        extract(section, digest, syncs, expectedBytes);
      }
      syncs.finish();
    }
  }

  private void extract(
      CapturedFiles.Section section, ContentDigest digest, SyncQueue syncs, long expectedBytes)
      throws IOException {
    try (var in = captured.archive(section);
        var index = captured.index(section)) {
      var tar = new TarReader(in, section.tar().name().value(), section.tar().plainBytes());
      var extraction = new Extraction(tar, digest, syncs);
      for (var member = tar.next(); member.isPresent(); member = tar.next()) {
        session.stopping().check();
        TarIndex.Line line =
            index.next().orElseThrow(() -> disagree(section, "ends before the archive"));
        requireSame(section, line, member.get(), tar.offset());
        if (isWanted(line)) {
          extraction.put(member.get(), line, places.staged(number));
          bytes += line.sizeBytes();
          session.progress(bytes, number + 1, expectedBytes);
        }
        number++;
      }
      if (index.next().isPresent()) {
        throw disagree(section, "goes on behind the archive");
      }
    }
  }

  private boolean isWanted(TarIndex.Line line) {
    return options.restoresStock() || !FileConflicts.isStock(line);
  }

  private static void requireSame(
      CapturedFiles.Section section, TarIndex.Line line, TarMember member, long offset)
      throws BackupException {
    boolean isSame =
        line.path().equals(member.name())
            && line.type() == member.type()
            && line.sizeBytes() == member.sizeBytes()
            && (line.type() != TarMember.Type.FILE || line.offset() == offset);
    if (!isSame) {
      throw disagree(
          section, "says '%s' where the archive says '%s'".formatted(line.path(), member.name()));
    }
  }

  private static BackupException.Corrupt disagree(CapturedFiles.Section section, String how) {
    return new BackupException.Corrupt(
        CoreFailure.MALFORMED, "%s %s".formatted(section.index(), how));
  }

  /** Puts the member at which the archive stands to a place. */
  private final class Extraction {
    private final TarReader tar;
    private final ContentDigest digest;
    private final SyncQueue syncs;

    Extraction(TarReader tar, ContentDigest digest, SyncQueue syncs) {
      this.tar = tar;
      this.digest = digest;
      this.syncs = syncs;
    }

    void put(TarMember member, TarIndex.Line line, Path staged) throws IOException {
      if (!Files.isDirectory(PrivateFiles.parent(staged))) {
        PrivateFiles.createDirectory(PrivateFiles.parent(staged));
      }
      if (member.type() == TarMember.Type.FILE) {
        putFile(member, line, staged);
        return;
      }
      if (member.type() == TarMember.Type.DIRECTORY) {
        PrivateFiles.createDirectory(staged);
      } else {
        Files.createSymbolicLink(staged, staged.getFileSystem().getPath(member.linkTarget()));
      }
      missedAttributes.addAll(attributes.write(staged, member.attributes()));
    }

    /** Bytes, then attributes, then the disk: both are durable when the queue is finished. */
    private void putFile(TarMember member, TarIndex.Line line, Path staged) throws IOException {
      FileOutputStream out = PrivateFiles.create(staged);
      try {
        requireContent(line, copyTo(out));
        missedAttributes.addAll(attributes.write(staged, member.attributes()));
      } catch (IOException | RuntimeException e) {
        out.close();
        throw e;
      }
      syncs.add(out);
    }

    private Digest copyTo(FileOutputStream out) throws IOException {
      byte[] part = digest.buffer();
      for (int n = tar.read(part, 0, part.length); n >= 0; n = tar.read(part, 0, part.length)) {
        digest.hash(n);
        out.write(part, 0, n);
        part = digest.buffer();
      }
      return digest.end();
    }
  }

  private static void requireContent(TarIndex.Line line, Digest found)
      throws BackupException.Corrupt {
    if (!found.equals(line.content())) {
      throw new BackupException.Corrupt(
          CoreFailure.CORRUPT_OBJECT,
          "'%s' has SHA-256 %s, captured was %s".formatted(line.path(), found, line.content()));
    }
  }
}
