package org.stellaops.backup;

import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.bundle.ImportReport;
import org.stellaops.backup.bundle.OfflineBundle;
import org.stellaops.backup.internal.run.ImportRun;
import org.stellaops.backup.internal.run.Quarantine;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.BackupSink;

/**
 * Takes a bundle into a copy of its repository, by way of a quarantine: it is brought there from
 * its medium, verified there, and only then are its objects stored, entries last. Whatever becomes
 * of this, also in a crash, the copy lists no snapshot that it does not hold whole; the next import
 * of the same bundle goes on. Immutable.
 */
public final class BundleImport {
  private final OfflineBundle bundle;
  private final BackupSink copy;
  private final Path quarantine;
  private final Trust trust;
  private final ImportRun.Options options;

  private BundleImport(
      OfflineBundle bundle,
      BackupSink copy,
      Path quarantine,
      Trust trust,
      ImportRun.Options options) {
    this.bundle = bundle;
    this.copy = copy;
    this.quarantine = quarantine;
    this.trust = trust;
    this.options = options;
  }

  /**
   * An import.
   *
   * @param copy a copy of the same repository, or a store that is empty and becomes one
   * @param quarantine a directory on this machine with room for the bundle; made unless it is
   *     there. A bundle that fails stays in it, with a file that says why; what was imported is
   *     removed, and what a killed import into the same copy left is removed by the next one.
   *     {@code imports.log} in it has a line for each import.
   * @param trust whose signatures count; without anybody no bundle passes
   */
  public static BundleImport of(
      OfflineBundle bundle, BackupSink copy, Path quarantine, Trust trust) {
    return new BundleImport(
        bundle,
        copy,
        quarantine,
        trust,
        new ImportRun.Options("", InstantSource.system(), Optional.empty(), List.of()));
  }

  /** What an empty store is called when it becomes a copy, {@code [A-Za-z0-9._-]{0,120}}. */
  public BundleImport label(String text) {
    return with(
        new ImportRun.Options(text, options.clock(), options.reason(), options.listeners()));
  }

  /** The clock; the system's unless said. */
  public BundleImport clock(InstantSource other) {
    return with(
        new ImportRun.Options(options.label(), other, options.reason(), options.listeners()));
  }

  /**
   * One more who hears how far it is: what is brought into quarantine, verified there, and
   * imported. Stays the caller's.
   */
  public BundleImport listener(BackupListener more) {
    List<BackupListener> all = new ArrayList<>(options.listeners());
    all.add(more);
    return with(new ImportRun.Options(options.label(), options.clock(), options.reason(), all));
  }

  private BundleImport with(ImportRun.Options other) {
    return new BundleImport(bundle, copy, quarantine, trust, other);
  }

  /**
   * Imports it although the copy has newer entries of all its logs.
   *
   * @param why is recorded: one line
   * @throws IllegalArgumentException if that says nothing
   */
  public BundleImport evenBackwards(String why) {
    if (why.isBlank() || why.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException("a reason is a line of text");
    }
    return with(
        new ImportRun.Options(
            options.label(), options.clock(), Optional.of(why), options.listeners()));
  }

  /**
   * Imports.
   *
   * @throws BackupException.Corrupt with everything that is wrong with the bundle, which stays in
   *     quarantine
   * @throws BackupException.Refused IMPORT_BACKWARDS without a reason; WRONG_REPOSITORY or
   *     COPY_CONFLICT if the store is no copy of this repository; the bundle stays where it was
   * @throws BackupException.Sink of either store, or of the quarantine
   */
  public ImportReport execute() throws BackupException {
    return BackupRepository.translated(
        "import " + bundle.describe(), () -> run(new Quarantine(quarantine, options.clock())));
  }

  private ImportReport run(Quarantine place) throws IOException {
    return new ImportRun(place, copy, trust, options).execute(bundle);
  }
}
