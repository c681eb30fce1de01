package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.stellaops.backup.internal.disk.AttributeWriter;
import org.stellaops.backup.internal.disk.Inspector;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.internal.tar.TarIndex;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.RestoreSession;

/**
 * Puts every staged member in its place.
 *
 * <p>Publishing is an act per name, and each is written down before: a directory is made, a file is
 * linked to a free name, or it replaces another that is kept under a second name.
 */
final class FilePublication {
  private final FileTarget.Options options;
  private final RestoreSession session;
  private final StagingPlaces places;
  private final RestoreJournal journal;
  private final Set<String> missedAttributes;
  private final Destination destination;
  private final AttributeWriter attributes = new AttributeWriter();
  private final Inspector inspector = new Inspector();
  private final Set<Path> touched = new LinkedHashSet<>();
  private final List<RestoreJournal.Entry> directories = new ArrayList<>();
  private final Set<Long> made = new HashSet<>();
  private long bytes;

  /**
   * @param missedAttributes receives the kinds of attributes that could not be set
   */
  FilePublication(
      FileTarget.Options options,
      RestoreSession session,
      StagingPlaces places,
      RestoreJournal journal,
      Set<String> missedAttributes) {
    this.options = options;
    this.session = session;
    this.places = places;
    this.journal = journal;
    this.missedAttributes = missedAttributes;
    this.destination = new Destination(options.root());
  }

  void run(TarIndex.Lines index) throws IOException {
    RestoreJournal.read(places.journal(), this::remember);
    long number = 0;
    for (var line = index.next(); line.isPresent(); line = index.next()) {
      session.stopping().check();
      if (Files.exists(places.staged(number), LinkOption.NOFOLLOW_LINKS)) {
        put(line.get(), number);
      }
      bytes += line.get().sizeBytes();
      number++;
      session.progress(bytes, number, 0);
    }
    finishDirectories();
    for (Path directory : touched) {
      PrivateFiles.syncDirectory(directory);
    }
  }

  /** A directory that an earlier attempt made still waits for its attributes. */
  private void remember(RestoreJournal.Entry entry) {
    if (entry.act() == RestoreJournal.Act.DIRECTORY && entry.number() >= 0) {
      add(entry);
    }
  }

  private void add(RestoreJournal.Entry directory) {
    directories.add(directory);
    made.add(directory.number());
  }

  private void put(TarIndex.Line line, long number) throws IOException {
    switch (destination.look(line)) {
      case FREE -> putFree(line, number);
      case DIRECTORY -> leaveDirectory(number);
      case OCCUPIED -> putOver(line, number);
      case BLOCKED -> throw inTheWay(line);
    }
  }

  private void putFree(TarIndex.Line line, long number) throws IOException {
    Path place = destination.resolve(line.path());
    makeParents(PrivateFiles.parent(place));
    if (line.type() == TarMember.Type.DIRECTORY) {
      journal.write(RestoreJournal.Act.DIRECTORY, number, line.path());
      PrivateFiles.createDirectory(place);
      add(new RestoreJournal.Entry(RestoreJournal.Act.DIRECTORY, number, line.path()));
    } else {
      journal.write(RestoreJournal.Act.MADE, number, line.path());
      moveToFree(places.staged(number), place, line);
    }
    touched.add(PrivateFiles.parent(place));
  }

  /** Parents that were not captured themselves. */
  private void makeParents(Path parent) throws IOException {
    if (parent.equals(options.root()) || Files.isDirectory(parent, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    makeParents(PrivateFiles.parent(parent));
    journal.write(RestoreJournal.Act.DIRECTORY, -1, destination.name(parent));
    PrivateFiles.createShared(parent);
    touched.add(PrivateFiles.parent(parent));
  }

  private void moveToFree(Path staged, Path place, TarIndex.Line line) throws IOException {
    try {
      Files.createLink(place, staged);
      Files.delete(staged);
    } catch (FileAlreadyExistsException e) {
      throw inTheWay(line);
    } catch (UnsupportedOperationException | IOException e) {
      // No hard links here, or another file system is mounted there.
      PrivateFiles.moveOver(staged, place, places.suffix());
    }
  }

  private void leaveDirectory(long number) throws IOException {
    if (!made.contains(number)) {
      Files.delete(places.staged(number));
    }
  }

  private void putOver(TarIndex.Line line, long number) throws IOException {
    if (!options.replaces()) {
      throw inTheWay(line);
    }
    Path place = destination.resolve(line.path());
    journal.write(RestoreJournal.Act.KEPT, number, line.path());
    Files.deleteIfExists(places.kept(number));
    PrivateFiles.keep(place, places.kept(number));
    PrivateFiles.moveOver(places.staged(number), place, places.suffix());
    touched.add(PrivateFiles.parent(place));
  }

  /** The innermost first: a parent may be closed to us once it has its mode. */
  private void finishDirectories() throws IOException {
    for (int i = directories.size() - 1; i >= 0; i--) {
      Path staged = places.staged(directories.get(i).number());
      if (Files.isDirectory(staged, LinkOption.NOFOLLOW_LINKS)) {
        Path place = destination.resolve(directories.get(i).name());
        PrivateFiles.syncDirectory(place);
        touched.remove(place);
        missedAttributes.addAll(attributes.write(place, inspector.inspect(staged).attributes()));
        Files.delete(staged);
      }
    }
  }

  private BackupException.Target inTheWay(TarIndex.Line line) {
    return new BackupException.Target(
        CoreFailure.TARGET_NOT_EMPTY,
        "'%s' is in the way in %s".formatted(line.path(), options.root()));
  }
}
