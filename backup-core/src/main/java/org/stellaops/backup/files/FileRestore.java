package org.stellaops.backup.files;

import java.io.IOException;
import java.util.Set;
import java.util.TreeSet;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.spi.RestoreSession;

/** One restore of files: the order of its steps. Each may be taken by another process. */
final class FileRestore {
  private final FileTarget.Options options;
  private final RestoreSession session;
  private final StagingPlaces places;
  private final Set<String> missedAttributes = new TreeSet<>();

  FileRestore(FileTarget.Options options, RestoreSession session) {
    this.options = options;
    this.session = session;
    this.places = new StagingPlaces(options.root(), session.run());
  }

  void stage() throws IOException {
    attempt(
        "stage",
        () -> {
          new FileRollBack(options.root(), places).run();
          new FileStaging(options, session, places, missedAttributes).run();
          report();
        });
  }

  void publish() throws IOException {
    attempt(
        "publish",
        () -> {
          if (!places.isThere()) {
            throw new BackupException.Target(
                CoreFailure.TARGET_FAILED, "nothing is staged in " + places.directory());
          }
          try (var journal = RestoreJournal.append(places.journal());
              var index = new CapturedFiles(session).index()) {
            new FilePublication(options, session, places, journal, missedAttributes).run(index);
          }
          report();
        });
  }

  private void report() {
    if (!missedAttributes.isEmpty()) {
      session.finding(
          new Finding(
              CoreFailure.ATTRIBUTES_NOT_SET,
              options.root().toString(),
              "%s of some files could not be set"
                  .formatted(String.join(" and ", missedAttributes))));
    }
  }

  void rollBack() throws IOException {
    attempt("roll back", new FileRollBack(options.root(), places)::run);
  }

  void settle() throws IOException {
    attempt("settle", () -> PrivateFiles.deleteTree(places.directory()));
  }

  private void attempt(String tried, Step step) throws IOException {
    try {
      step.run();
    } catch (BackupException e) {
      throw e;
    } catch (IOException e) {
      throw new BackupException.Target(
          CoreFailure.TARGET_FAILED,
          "%s files in %s: %s %s"
              .formatted(tried, options.root(), e.getClass().getSimpleName(), e.getMessage()),
          e);
    }
  }

  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }
}
