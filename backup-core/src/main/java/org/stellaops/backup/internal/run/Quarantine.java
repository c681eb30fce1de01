package org.stellaops.backup.internal.run;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import org.stellaops.backup.bundle.OfflineBundle;
import org.stellaops.backup.internal.disk.PrivateFiles;

/**
 * A directory in which bundles lie that nobody has verified yet, or that did not pass. One process.
 */
public final class Quarantine {
  private static final String JOURNAL = "imports.log";
  private static final String WHY = "why.txt";

  private final Path directory;
  private final InstantSource clock;

  public Quarantine(Path directory, InstantSource clock) {
    this.directory = directory.toAbsolutePath();
    this.clock = clock;
  }

  /** A bundle that lies here, in a directory of its own. */
  record Held(Path place, OfflineBundle bundle) {}

  /** Brings a bundle here from its medium, which is read once. */
  Held bring(OfflineBundle from) throws IOException {
    List<Path> files = from.files();
    PrivateFiles.createDirectories(directory, 2);
    Path place = freshPlace();
    boolean isHere = false;
    try {
      for (Path file : files) {
        copy(file, place.resolve(String.valueOf(file.getFileName())));
      }
      PrivateFiles.syncDirectory(place);
      isHere = true;
    } finally {
      if (!isHere) {
        PrivateFiles.deleteTree(place);
      }
    }
    String first = String.valueOf(files.get(0).getFileName());
    return new Held(place, OfflineBundle.at(place.resolve(first)));
  }

  private Path freshPlace() throws IOException {
    String time = clock.instant().toString().replaceAll("[^0-9TZ]", "").toLowerCase(Locale.ROOT);
    for (int number = 1; ; number++) {
      Path place = directory.resolve("import-%s-%d".formatted(time, number));
      if (!Files.exists(place)) {
        PrivateFiles.createDirectory(place);
        return place;
      }
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (InputStream in = Files.newInputStream(from);
        FileOutputStream out = PrivateFiles.create(to)) {
      in.transferTo(out);
      out.getFD().sync();
    }
  }

  /** It passed: what was kept of it goes. */
  void release(Held held) throws IOException {
    PrivateFiles.deleteTree(held.place());
  }

  /** It did not pass, and stays, with what is wrong. */
  void keep(Held held, String why) throws IOException {
    PrivateFiles.create(held.place().resolve(WHY), (why + "\n").getBytes(StandardCharsets.UTF_8));
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
