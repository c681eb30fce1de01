package org.stellaops.backup.internal.run;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.stellaops.backup.bundle.OfflineBundle;
import org.stellaops.backup.internal.disk.MediumFailures;
import org.stellaops.backup.internal.disk.PrivateFiles;

/**
 * A directory in which bundles lie that nobody has verified yet, or that did not pass. Several
 * processes may share it.
 *
 * <p>Invariant: a place without a reason why it is kept belongs to an import that is running, or to
 * one that was killed; {@link ImportMark} tells which. Until it is marked, and while it is removed,
 * it is called {@code .aside}, and holds nothing that anybody wants.
 */
public final class Quarantine {
  private static final String JOURNAL = "imports.log";
  private static final String WHY = "why.txt";
  private static final String ASIDE = ".aside";
  private static final Pattern PLACE = Pattern.compile("import-[0-9tz]+-[0-9]+(\\.aside)?");
  private static final int MOST_ATTEMPTS = 100;
  private static final int BUFFER_BYTES = 1 << 16;

  private final Path directory;
  private final InstantSource clock;

  public Quarantine(Path directory, InstantSource clock) {
    this.directory = directory.toAbsolutePath();
    this.clock = clock;
  }

  /** A bundle that lies here, in a directory of its own. */
  record Held(Path place, OfflineBundle bundle, ImportMark mark) {}

  /**
   * Removes what imports into the same target left here when they were killed. What failed to pass
   * stays, and so does what is of an import that is running.
   *
   * @return what was removed, by the names of its places
   */
  List<String> sweep(String target) throws IOException {
    List<String> swept = new ArrayList<>();
    if (!Files.isDirectory(directory)) {
      return swept;
    }
    for (Path place : places()) {
      if (isLeft(place, target)) {
        PrivateFiles.deleteTree(place);
        String name = String.valueOf(place.getFileName());
        record("swept %s, left by an import that did not end".formatted(name));
        swept.add(name);
      }
    }
    return swept;
  }

  private List<Path> places() throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      return all.filter(p -> PLACE.matcher(String.valueOf(p.getFileName())).matches())
          .sorted()
          .toList();
    }
  }

  private static boolean isLeft(Path place, String target) throws IOException {
    Optional<String> of = ImportMark.target(place);
    boolean isAside = String.valueOf(place.getFileName()).endsWith(ASIDE);
    return !Files.exists(place.resolve(WHY))
        && of.map(t -> t.equals(target)).orElse(isAside)
        && !ImportMark.isRunning(place);
  }

  /**
   * Brings a bundle here from its medium, which is read once.
   *
   * @param target what it is imported into
   */
  Held bring(OfflineBundle from, String target, ProgressMeter progress) throws IOException {
    List<Path> files = from.files();
    long bytes = 0;
    for (Path file : files) {
      bytes += sizeOf(file);
    }
    progress.begin("bring", bytes);
    PrivateFiles.createDirectories(directory, 2);
    ImportMark mark = freshPlace(target);
    Path place = mark.place();
    boolean isHere = false;
    try {
      for (Path file : files) {
        copy(file, place.resolve(String.valueOf(file.getFileName())), progress);
      }
      PrivateFiles.syncDirectory(place);
      isHere = true;
      progress.end();
    } finally {
      if (!isHere) {
        remove(mark);
      }
    }
    String first = String.valueOf(files.get(0).getFileName());
    return new Held(place, OfflineBundle.at(place.resolve(first)), mark);
  }

  private ImportMark freshPlace(String target) throws IOException {
    String time = clock.instant().toString().replaceAll("[^0-9TZ]", "").toLowerCase(Locale.ROOT);
    for (int number = 1; ; number++) {
      Path place = directory.resolve("import-%s-%d".formatted(time, number));
      Path aside = place.resolveSibling(place.getFileName() + ASIDE);
      try {
        if (!Files.exists(place)) {
          PrivateFiles.createDirectory(aside);
          ImportMark mark = ImportMark.make(aside, target);
          Files.move(aside, place);
          return mark.at(place);
        }
      } catch (FileAlreadyExistsException | NoSuchFileException e) {
        // Another import was quicker, or swept what had no mark yet.
        if (number >= MOST_ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  private static long sizeOf(Path file) throws IOException {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw MediumFailures.reading("read " + file, PrivateFiles.parent(file), e);
    }
  }

  private static void copy(Path from, Path to, ProgressMeter progress) throws IOException {
    try (InputStream in = new FromMedium(from);
        FileOutputStream out = PrivateFiles.create(to)) {
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        out.write(buffer, 0, n);
        progress.add(n, 0);
      }
      out.getFD().sync();
    } catch (IOException e) {
      throw MediumFailures.translate("write " + to, PrivateFiles.parent(to), e);
    }
  }

  /** A file of the medium, whose failures are told from those of this directory. */
  private static final class FromMedium extends InputStream {
    private final Path file;
    private final InputStream in;

    FromMedium(Path file) throws IOException {
      this.file = file;
      try {
        this.in = Files.newInputStream(file);
      } catch (IOException e) {
        throw failed(e);
      }
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      try {
        return in.read(bytes, offset, length);
      } catch (IOException e) {
        throw failed(e);
      }
    }

    private IOException failed(IOException e) {
      return MediumFailures.reading("read " + file, PrivateFiles.parent(file), e);
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }

  /** It passed: what was kept of it goes. */
  void release(Held held) throws IOException {
    remove(held.mark());
  }

  private static void remove(ImportMark mark) throws IOException {
    Path aside = mark.place().resolveSibling(mark.place().getFileName() + ASIDE);
    try (mark) {
      Files.move(mark.place(), aside);
      PrivateFiles.deleteTree(aside);
    }
  }

  /** It did not pass, and stays, with what is wrong. */
  void keep(Held held, String why) throws IOException {
    try (ImportMark mark = held.mark()) {
      PrivateFiles.create(held.place().resolve(WHY), (why + "\n").getBytes(StandardCharsets.UTF_8));
      mark.remove();
    }
  }

  /** A line for those who ask later what was imported, and why. */
  void record(String line) throws IOException {
    Path journal = directory.resolve(JOURNAL);
    if (!Files.exists(journal)) {
      PrivateFiles.create(journal, new byte[0]);
    }
    try (FileOutputStream out = new FileOutputStream(journal.toFile(), true)) {
      out.write((clock.instant() + " " + line + "\n").getBytes(StandardCharsets.UTF_8));
      out.getFD().sync();
    }
  }
}
