package org.stellaops.backup.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
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
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Form;

/**
 * One capture of a {@link FileSource}.
 *
 * <p>A tar header says the size before the bytes come. A small file is therefore read as a whole,
 * and looked at before and after; only a file that stood still gets a header. A large one is looked
 * at again when its bytes are out, and if it moved, the capture fails.
 */
final class FileCapture {
  /** Key in the index: STOCK or CUSTOMISED. */
  static final String ORIGIN = "origin";

  static final String STOCK = "STOCK";

  private static final String CUSTOMISED = "CUSTOMISED";
  private static final int SMALL_BYTES = 8 << 20;
  private static final int ATTEMPTS = 2;

  private final FileSelection selection;
  private final FileSource.Seeds seeds;
  private final CaptureSession session;
  private final Opener opener;
  private final TarIndex.Spool index = new TarIndex.Spool();
  private long files;
  private long bytes;

  FileCapture(FileSelection selection, FileSource.Seeds seeds, CaptureSession session) {
    this(selection, seeds, session, FileCapture::open);
  }

  /** For tests of what happens while a file is open. */
  FileCapture(
      FileSelection selection, FileSource.Seeds seeds, CaptureSession session, Opener opener) {
    this.selection = selection;
    this.seeds = seeds;
    this.session = session;
    this.opener = opener;
  }

  /** Opens files. */
  @FunctionalInterface
  interface Opener {
    InputStream open(Path file) throws IOException;
  }

  void run() throws IOException {
    requireRequired();
    var scan = FileScan.of(selection, session.stopping());
    if (scan.files() == 0 && !selection.isOptional()) {
      throw new BackupException.Source(CoreFailure.REQUIRED_MISSING, "no file in " + selection);
    }
    session.expect(InventoryItem.of("files", scan.files(), scan.bytes()));
    session.artifact(FileSource.TAR, Form.CONTENT, out -> archive(out, scan.bytes()));
    session.artifact(FileSource.INDEX, Form.CONTENT.remembered(), index::writeTo);
    session.captured(InventoryItem.of("files", files, bytes));
  }

  private void requireRequired() throws BackupException.Source {
    List<String> problems = selection.problems();
    if (!problems.isEmpty()) {
      throw new BackupException.Source(CoreFailure.REQUIRED_MISSING, String.join("; ", problems));
    }
  }

  private void archive(ArtifactOutput out, long expectedBytes) throws IOException {
    TarWriter tar = new TarWriter(out);
    try (var digest = new ContentDigest(session.executor())) {
      new FileWalk(selection, session.stopping(), new Members(tar, digest, expectedBytes)).run();
    }
    tar.finish();
  }

  /** A link that took the place of the file since it was looked at is not followed. */
  static InputStream open(Path path) throws IOException {
    try {
      return Files.newInputStream(path, LinkOption.NOFOLLOW_LINKS);
    } catch (NoSuchFileException | AccessDeniedException e) {
      throw e;
    } catch (FileSystemException e) {
      throw new BackupException.Source(
          CoreFailure.CHANGED_WHILE_READ, path + " became something else", e);
    }
  }

  /** What is found becomes a member of the archive and a line of the index. */
  private final class Members implements FileWalk.Visitor {
    private final TarWriter tar;
    private final ContentDigest digest;
    private final long expectedBytes;
    private final Inspector inspector = new Inspector();
    private byte[] buffer = new byte[1 << 16];

    Members(TarWriter tar, ContentDigest digest, long expectedBytes) {
      this.tar = tar;
      this.digest = digest;
      this.expectedBytes = expectedBytes;
    }

    @Override
    public void passedOver(Finding why) {
      session.finding(why);
    }

    @Override
    public void found(FileWalk.Found it) throws IOException {
      switch (it.state().type()) {
        case DIRECTORY -> directory(it);
        case LINK -> link(it);
        default -> file(it);
      }
    }

    private void directory(FileWalk.Found it) throws IOException {
      FileState state = inspector.inspect(it.path());
      add(TarMember.directory(it.name(), state.attributes()));
    }

    private void link(FileWalk.Found it) throws IOException {
      String target = Files.readSymbolicLink(it.path()).toString();
      add(TarMember.link(it.name(), target, it.state().attributes()));
    }

    private void add(TarMember member) throws IOException {
      long offset = tar.begin(member);
      tar.end();
      note(member, offset, Digest.ofContent(new byte[0]));
    }

    private void file(FileWalk.Found it) throws IOException {
      try {
        if (it.state().sizeBytes() <= SMALL_BYTES) {
          small(it);
        } else {
          large(it);
        }
      } catch (AccessDeniedException e) {
        throw new BackupException.Source(
            CoreFailure.SOURCE_FAILED, it.path() + " cannot be read by this process", e);
      }
      files++;
      session.progress(bytes, files, expectedBytes);
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
      try (InputStream in = opener.open(path)) {
        while (length <= SMALL_BYTES) {
          if (length == buffer.length) {
            buffer = Arrays.copyOf(buffer, Math.min(2 * length, SMALL_BYTES + 1));
          }
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
      digest.hash(buffer, length);
      long offset = tar.begin(member);
      tar.write(buffer, 0, length);
      tar.end();
      bytes += length;
      note(member, offset, digest.end());
      if (seeds.jsonFiles().contains(it.name())) {
        JsonSyntax.problem(buffer, length).ifPresent(problem -> notWellFormed(it.name(), problem));
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
      try (InputStream in = opener.open(it.path())) {
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
          session.progress(bytes, files, expectedBytes);
        }
      }
      if (!inspector.look(it.path()).isUnchangedSince(before)) {
        throw changed(it.path());
      }
      tar.end();
      note(member, offset, digest.end());
      if (seeds.jsonFiles().contains(it.name())) {
        notWellFormed(it.name(), "larger than %d bytes, not looked at".formatted(SMALL_BYTES));
      }
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
        String origin = shipped.equals(content) ? STOCK : CUSTOMISED;
        more.put(ORIGIN, origin);
        session.property(ORIGIN + " of " + member.name(), origin);
      }
      index.add(
          new TarIndex.Line(
              member.name(), member.type(), offset, member.sizeBytes(), content, more));
    }
  }
}
