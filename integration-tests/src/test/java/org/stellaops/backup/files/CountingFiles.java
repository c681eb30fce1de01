package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.SourceDescription;

/** A source of all files of a directory, in small sections, that names the files it opened. */
public final class CountingFiles implements BackupSource {
  private final Path root;
  private final int sectionWeight;
  private final boolean rereads;
  private final Set<String> opened = new TreeSet<>();
  private FileSource.Seeds seeds = FileSource.Seeds.NONE;

  private CountingFiles(Path root, int sectionWeight, boolean rereads) {
    this.root = root;
    this.sectionWeight = sectionWeight;
    this.rereads = rereads;
  }

  /** Sections of about so many files. */
  public static CountingFiles in(Path root, int sectionWeight) {
    return new CountingFiles(root, sectionWeight, false);
  }

  CountingFiles rereading() {
    return new CountingFiles(root, sectionWeight, true);
  }

  CountingFiles json(String name) {
    seeds = seeds.json(name);
    return this;
  }

  CountingFiles stock(String name, Digest shipped) {
    seeds = seeds.stock(name, shipped);
    return this;
  }

  /** Names of the files that were opened since this was asked the last time. */
  public Set<String> opened() {
    Set<String> names = new TreeSet<>(opened);
    opened.clear();
    return names;
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of(FileSource.KIND, Component.CONFIG, Stage.FILES);
  }

  @Override
  public void check(Checks checks) {}

  @Override
  public void capture(CaptureSession session) throws IOException {
    var selection =
        new FileSelection(root, List.of(""), List.of(), List.of(), new TreeSet<>(), false);
    new FileCapture(
            selection,
            seeds,
            rereads,
            session,
            file -> {
              opened.add(root.relativize(file).toString());
              return FileCapture.open(file);
            })
        .run(sectionWeight);
  }
}
