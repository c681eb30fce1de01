package org.stellaops.backup.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.stellaops.backup.internal.disk.ContentDigest;
import org.stellaops.backup.internal.disk.FileState;
import org.stellaops.backup.internal.disk.Inspector;
import org.stellaops.backup.internal.json.JsonSyntax;
import org.stellaops.backup.internal.tar.TarIndex;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.internal.tar.TarWriter;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.CaptureSession;

/**
 * Reads the files of one section: members of an archive, and lines of an index.
 *
 * <p>A tar header says the size before the bytes come. A small file is therefore read as a whole,
 * and looked at before and after; only a file that stood still gets a header. A large one is looked
 * at again when its bytes are out, and if it moved, the capture fails.
 */
final class FileSection {
  private static final String CUSTOMISED = "CUSTOMISED";
  private static final int SMALL_BYTES = 8 << 20;
  private static final int ATTEMPTS = 2;

  private final FileCapture.Reading reading;
  private final CaptureSession session;
  private final FileSource.Seeds seeds;
  private final Progress progress;
  private final SectionStates states;
  private final TarIndex.Spool index = new TarIndex.Spool();
  private final Inspector inspector;
  private long files;
  private long bytes;

  /**
   * @param states receives what the members looked like before they were read
   */
  FileSection(FileCapture.Reading reading, SectionStates states, Progress progress) {
    this.reading = reading;
    this.session = reading.session();
    this.seeds = reading.seeds();
    this.inspector = reading.inspector();
    this.states = states;
    this.progress = progress;
  }

  /** Hears how far the section is. */
  @FunctionalInterface
  interface Progress {
    void at(long files, long bytes);
  }

  /** Writes the archive. */
  void archive(List<FileWalk.Found> members, ArtifactOutput out) throws IOException {
    TarWriter tar = new TarWriter(out);
    try (var digest = new ContentDigest(session.executor())) {
      var archive = new Archive(tar, digest);
      for (FileWalk.Found it : members) {
        session.stopping().check();
        archive.add(it);
      }
    }
    tar.finish();
  }

  /** Writes the index of the archive. */
  void index(ArtifactOutput out) throws IOException {
    index.writeTo(out);
  }

  /** How many regular files were read. */
  long files() {
    return files;
  }

  /** How many bytes of these. */
  long bytes() {
    return bytes;
  }

  /** What is found becomes a member of the archive and a line of the index. */
  private final class Archive {
    private final TarWriter tar;
    private final ContentDigest digest;

    Archive(TarWriter tar, ContentDigest digest) {
      this.tar = tar;
      this.digest = digest;
    }

    void add(FileWalk.Found it) throws IOException {
      try {
        switch (it.state().type()) {
          case DIRECTORY -> directory(it);
          case LINK -> link(it);
          default -> file(it);
        }
      } catch (NoSuchFileException e) {
        reading.wentAway(it.name(), it.path(), e);
      } catch (AccessDeniedException e) {
        throw FileWalk.denied(it.path(), e);
      }
    }

    private void directory(FileWalk.Found it) throws IOException {
      FileState state = inspector.inspect(it.path());
      add(TarMember.directory(it.name(), state.attributes()), it, state);
    }

    private void link(FileWalk.Found it) throws IOException {
      String target = Files.readSymbolicLink(it.path()).toString();
      add(TarMember.link(it.name(), target, it.state().attributes()), it, it.state());
    }

    private void add(TarMember member, FileWalk.Found it, FileState state) throws IOException {
      long offset = tar.begin(member);
      tar.end();
      states.add(it.name(), state);
      note(member, offset, Digest.ofContent(new byte[0]));
    }

    private void file(FileWalk.Found it) throws IOException {
      if (it.state().sizeBytes() <= SMALL_BYTES) {
        small(it);
      } else {
        large(it);
      }
      files++;
      progress.at(files, bytes);
    }

    private void small(FileWalk.Found it) throws IOException {
      for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
        FileState before = inspector.inspect(it.path());
        int length = readSmall(it.path());
        if (isWhole(before, length) && inspector.look(it.path()).isUnchangedSince(before)) {
          writeSmall(it, before, length);
          return;
        }
      }
      throw changed(it.path());
    }

    private static boolean isWhole(FileState before, int length) {
      return before.type() == FileState.Type.FILE && before.sizeBytes() == length;
    }

    /** Up to one byte more than a small file has, so that growth shows. */
    private int readSmall(Path path) throws IOException {
      int length = 0;
      try (InputStream in = reading.opener().open(path)) {
        while (length <= SMALL_BYTES) {
          byte[] buffer = reading.buffer(length + 1, SMALL_BYTES + 1);
          int n = in.read(buffer, length, buffer.length - length);
          if (n < 0) {
            break;
          }
          length += n;
        }
      }
      return length;
    }

    private void writeSmall(FileWalk.Found it, FileState state, int length) throws IOException {
      TarMember member = TarMember.file(it.name(), length, state.attributes());
      byte[] content = reading.buffer(0, 0);
      digest.hash(content, length);
      long offset = tar.begin(member);
      tar.write(content, 0, length);
      tar.end();
      bytes += length;
      states.add(it.name(), state);
      note(member, offset, digest.end());
      if (seeds.jsonFiles().contains(it.name())) {
        JsonSyntax.problem(content, length).ifPresent(problem -> notWellFormed(it.name(), problem));
      }
    }

    private void notWellFormed(String name, String problem) {
      session.finding(new Finding(CoreFailure.NOT_WELL_FORMED, name, problem));
    }

    private void large(FileWalk.Found it) throws IOException {
      FileState before = inspector.inspect(it.path());
      TarMember member = TarMember.file(it.name(), before.sizeBytes(), before.attributes());
      long left = before.sizeBytes();
      long offset;
      try (InputStream in = reading.opener().open(it.path())) {
        offset = tar.begin(member);
        while (left > 0) {
          session.stopping().check();
          byte[] part = digest.buffer();
          int n = in.read(part, 0, (int) Math.min(part.length, left));
          if (n < 0) {
            throw changed(it.path());
          }
          digest.hash(n);
          tar.write(part, 0, n);
          left -= n;
          bytes += n;
          progress.at(files, bytes);
        }
      }
      requireUnchanged(it.path(), before);
      tar.end();
      states.add(it.name(), before);
      note(member, offset, digest.end());
      if (seeds.jsonFiles().contains(it.name())) {
        notWellFormed(it.name(), "larger than %d bytes, not looked at".formatted(SMALL_BYTES));
      }
    }

    private void requireUnchanged(Path path, FileState before) throws IOException {
      try {
        if (inspector.look(path).isUnchangedSince(before)) {
          return;
        }
      } catch (NoSuchFileException e) {
        // Its header is written: it can no longer be passed over.
      }
      throw changed(path);
    }

    private static BackupException.Source changed(Path path) {
      return new BackupException.Source(
          CoreFailure.CHANGED_WHILE_READ, path + " changed while it was read");
    }

    /** Four digits: {@code 0644}. */
    private static String octal(int mode) {
      return Integer.toOctalString(010000 | mode).substring(1);
    }

    private void note(TarMember member, long offset, Digest content) throws IOException {
      SortedMap<String, String> more = new TreeMap<>();
      more.put("mode", octal(member.attributes().mode()));
      more.put("mtime", member.attributes().modified().toString());
      if (member.type() == TarMember.Type.LINK) {
        more.put("target", member.linkTarget());
      }
      Digest shipped = seeds.shipped().get(member.name());
      if (shipped != null) {
        String origin = shipped.equals(content) ? FileCapture.STOCK : CUSTOMISED;
        more.put(FileCapture.ORIGIN, origin);
        session.property(FileCapture.ORIGIN + " of " + member.name(), origin);
      }
      index.add(
          new TarIndex.Line(
              member.name(), member.type(), offset, member.sizeBytes(), content, more));
    }
  }

  /** A buffer that grows as the largest small file asks for, and is used for all of them. */
  static final class Buffer {
    private byte[] bytes = new byte[1 << 16];

    byte[] atLeast(int length, int most) {
      if (length > bytes.length) {
        bytes = Arrays.copyOf(bytes, Math.min(2 * bytes.length, most));
      }
      return bytes;
    }
  }
}
