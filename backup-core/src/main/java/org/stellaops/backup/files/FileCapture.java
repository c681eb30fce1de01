package org.stellaops.backup.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.stellaops.backup.internal.disk.FileState;
import org.stellaops.backup.internal.disk.Inspector;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Form;

/**
 * One capture of a {@link FileSource}: walks once, and gathers what it finds in sections. A section
 * whose members look as they did in the parent is taken over without one of its files being opened;
 * any other is read ({@link FileSection}).
 */
final class FileCapture {
  /** Key in the index: STOCK or CUSTOMISED. */
  static final String ORIGIN = "origin";

  static final String STOCK = "STOCK";

  private static final String INVENTORY = "files";

  /** Where the names in the archive begin, for whoever rebuilds the host. */
  private static final String ROOT = "root";

  private final FileSelection selection;
  private final CaptureSession session;
  private final Reading reading;
  private final Instant began;
  private final Map<Digest, SectionTable.Section> known;
  private final SectionTable.Spool remembered = new SectionTable.Spool();
  private final long parentBytes;
  private int sections;
  private long foundFiles;
  private long foundBytes;
  private boolean isWalked;
  private long files;
  private long bytes;

  FileCapture(
      FileSelection selection, FileSource.Seeds seeds, boolean rereads, CaptureSession session)
      throws IOException {
    this(selection, seeds, rereads, session, FileCapture::open);
  }

  /** For tests of what happens while a file is open. */
  FileCapture(
      FileSelection selection,
      FileSource.Seeds seeds,
      boolean rereads,
      CaptureSession session,
      Opener opener)
      throws IOException {
    this.selection = selection;
    this.session = session;
    this.reading = new Reading(selection, seeds, session, opener);
    this.began = session.clock().instant();
    this.parentBytes = parentBytes(session);
    this.known = rereads ? Map.of() : SectionTable.of(session);
  }

  private static long parentBytes(CaptureSession session) {
    return session.parent().stream()
        .flatMap(parent -> parent.captured().inventory().stream())
        .filter(item -> item.name().equals(INVENTORY))
        .mapToLong(InventoryItem::bytes)
        .sum();
  }

  /** Opens files. */
  @FunctionalInterface
  interface Opener {
    InputStream open(Path file) throws IOException;
  }

  void run() throws IOException {
    run(SectionCut.TARGET);
  }

  /** For tests, which have not as many files. */
  void run(int sectionWeight) throws IOException {
    requireRequired();
    var gathering = new Gathering(new SectionCut(sectionWeight));
    new FileWalk(selection, session.stopping(), gathering).run();
    isWalked = true;
    if (foundFiles == 0 && !selection.isOptional()) {
      throw new BackupException.Source(CoreFailure.REQUIRED_MISSING, "no file in " + selection);
    }
    gathering.end();
    session.expect(InventoryItem.of(INVENTORY, foundFiles, foundBytes));
    session.captured(InventoryItem.of(INVENTORY, files, bytes));
    session.property(ROOT, selection.base().toString());
    session.remember(SectionTable.NAME, remembered::writeTo);
  }

  private void requireRequired() throws BackupException.Source {
    List<String> problems = selection.problems();
    if (!problems.isEmpty()) {
      throw new BackupException.Source(CoreFailure.REQUIRED_MISSING, String.join("; ", problems));
    }
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

  /** What is found, until it is a section. */
  private final class Gathering implements FileWalk.Visitor {
    private final SectionCut cut;
    private final List<FileWalk.Found> members = new ArrayList<>();

    Gathering(SectionCut cut) {
      this.cut = cut;
    }

    @Override
    public void passedOver(Finding why) {
      session.finding(why);
    }

    @Override
    public void found(FileWalk.Found it) throws IOException {
      if (cut.isBefore(it.name(), it.state())) {
        capture(members);
        members.clear();
      }
      members.add(it);
      if (it.state().type() == FileState.Type.FILE) {
        foundFiles++;
        foundBytes += it.state().sizeBytes();
      }
    }

    /** The last section; a capture has one at least. */
    void end() throws IOException {
      if (!members.isEmpty() || sections == 0) {
        capture(members);
      }
    }
  }

  private void capture(List<FileWalk.Found> members) throws IOException {
    int number = ++sections;
    boolean isSeeded = members.stream().anyMatch(it -> reading.seeds().isKnown(it.name()));
    if (isSeeded || !reuse(number, members)) {
      read(number, members, isSeeded);
    }
  }

  /** Whether the section is as it was, and stored. */
  private boolean reuse(int number, List<FileWalk.Found> members) throws IOException {
    if (known.isEmpty()) {
      return false;
    }
    var now = new SectionStates(began);
    members.forEach(it -> now.add(it.name(), it.state()));
    Digest states = now.digest();
    SectionTable.Section before = known.get(states);
    if (before == null) {
      return false;
    }
    var same = new SectionTable.Section(number, before.files(), before.bytes());
    Map<ArtifactName, ArtifactName> names = new LinkedHashMap<>();
    names.put(same.tar(), before.tar());
    names.put(same.index(), before.index());
    if (!session.reuse(names)) {
      return false;
    }
    remembered.add(states, same);
    add(same.files(), same.bytes());
    return true;
  }

  private void read(int number, List<FileWalk.Found> members, boolean isSeeded) throws IOException {
    var states = new SectionStates(began);
    var section = new FileSection(reading, states, (f, b) -> progress(files + f, bytes + b));
    Form form = Form.CONTENT.reusable();
    session.artifact(FileSource.tar(number), form, out -> section.archive(members, out));
    session.artifact(FileSource.index(number), form, section::index);
    if (!isSeeded && !states.isRacy()) {
      remembered.add(
          states.digest(), new SectionTable.Section(number, section.files(), section.bytes()));
    }
    add(section.files(), section.bytes());
  }

  private void add(long moreFiles, long moreBytes) {
    files += moreFiles;
    bytes += moreBytes;
    progress(files, bytes);
  }

  private void progress(long filesNow, long bytesNow) {
    session.progress(bytesNow, filesNow, expectedBytes());
  }

  /** Known when everything was found; until then it may be about as much as the last time. */
  private long expectedBytes() {
    if (isWalked) {
      return foundBytes;
    }
    return parentBytes == 0 ? 0 : Math.max(foundBytes, parentBytes);
  }

  /** What all sections are read with. */
  static final class Reading {
    private final FileSelection selection;
    private final FileSource.Seeds seeds;
    private final CaptureSession session;
    private final Opener opener;
    private final Inspector inspector = new Inspector();
    private final FileSection.Buffer buffer = new FileSection.Buffer();

    Reading(
        FileSelection selection, FileSource.Seeds seeds, CaptureSession session, Opener opener) {
      this.selection = selection;
      this.seeds = seeds;
      this.session = session;
      this.opener = opener;
    }

    FileSource.Seeds seeds() {
      return seeds;
    }

    CaptureSession session() {
      return session;
    }

    Opener opener() {
      return opener;
    }

    Inspector inspector() {
      return inspector;
    }

    byte[] buffer(int length, int most) {
      return buffer.atLeast(length, most);
    }

    /** Something that was found is not there any more. */
    void wentAway(String name, Path path, NoSuchFileException e) throws BackupException.Source {
      FileWalk.requireNotRequired(selection, name, path, e);
      session.finding(FileWalk.wentAway(name));
    }
  }
}
