package org.stellaops.backup.parity;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.HexFormat;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.Stopping;

/**
 * Parity beside a repository, or a copy of one, in a directory on removable media: what the medium
 * loses or garbles comes back from what is left of it.
 *
 * <ul>
 *   <li>Files make groups; of each group as many files come back as it has volumes that are whole,
 *       however damaged they are: missing, garbled, torn, or too short.
 *   <li>Everything is in {@code parity/}, which a repository never looks at; removing that
 *       directory removes the parity and nothing else. Byte by byte in {@code
 *       docs/format/parity.md}.
 *   <li>It works on stored bytes and needs no key. It is against accidents: who can write to the
 *       medium can write parity as well, and what came back is what was there at the update. Verify
 *       the repository behind a repair.
 *   <li>Memory is about 16 MiB, and some hundred bytes for each file, whatever the sizes.
 * </ul>
 *
 * <p>Immutable. One update or repair at a time in one directory; a second one is refused with
 * {@link ParityFailure#IN_USE}. Update when no engine and no janitor works on the directory; what
 * comes meanwhile is protected by the next update.
 */
public final class ParityVolumes {
  private final Path directory;
  private final BackupListener listener;
  private final Stopping stopping;
  private final InstantSource clock;
  private final Steps steps;

  ParityVolumes(
      Path directory,
      BackupListener listener,
      Stopping stopping,
      InstantSource clock,
      Steps steps) {
    this.directory = directory;
    this.listener = listener;
    this.stopping = stopping;
    this.clock = clock;
    this.steps = steps;
  }

  /** Of the repository in this directory. */
  public static ParityVolumes in(Path repositoryDirectory) {
    return new ParityVolumes(
        repositoryDirectory.toAbsolutePath().normalize(),
        new BackupListener() {},
        Stopping.never(),
        InstantSource.system(),
        step -> {});
  }

  /** The same, which tells its progress; called by the thread that works. */
  public ParityVolumes listener(BackupListener newListener) {
    return new ParityVolumes(directory, newListener, stopping, clock, steps);
  }

  /** The same, which can be stopped: what is whole stays, and the next call goes on from there. */
  public ParityVolumes stopping(Stopping newStopping) {
    return new ParityVolumes(directory, listener, newStopping, clock, steps);
  }

  /** The same with another clock, for progress. */
  public ParityVolumes clock(InstantSource newClock) {
    return new ParityVolumes(directory, listener, stopping, newClock, steps);
  }

  /** For tests of what a killed process leaves. */
  ParityVolumes steps(Steps newSteps) {
    return new ParityVolumes(directory, listener, stopping, clock, newSteps);
  }

  /**
   * Protects what is new, makes anew groups of which retention removed files, and writes volumes
   * that are missing or damaged; removes last what nothing needs any more. Files of the repository
   * are read only. A file that is damaged already is not protected, but named. May be killed at any
   * point and called again; a second call has nothing to do.
   *
   * @throws BackupException.Refused if there is no repository
   * @throws BackupException.Sink if the medium is full, read-only, or fails
   * @throws BackupException.Stopped if it was stopped
   */
  public ParityUpdate update(ParitySettings settings) throws BackupException {
    Medium medium = medium();
    return attempt(
        medium, "update parity", () -> new UpdateRun(medium, settings, meter()).execute());
  }

  /**
   * Reads every protected file and every volume, and compares them with what was recorded. Writes
   * nothing, so the medium may be read-only.
   *
   * @throws BackupException.Refused if there is no repository
   * @throws BackupException.Sink if rights are missing; what cannot be read otherwise is damage
   * @throws BackupException.Stopped if it was stopped
   */
  public ParityReport verify() throws BackupException {
    return planRepair().report();
  }

  /** As {@link #verify}, and says what a repair would write. */
  public ParityRepairPlan planRepair() throws BackupException {
    Medium medium = medium();
    return attempt(medium, "verify parity", () -> new Examination(medium, meter()).execute());
  }

  /**
   * Writes the files that the plan names. Each is put together under a temporary name and takes its
   * own, in place of what is damaged, only when its bytes have the recorded digest; no other file
   * is touched. What does not come out right is named in the result, and stays as it was. May be
   * killed at any point; then plan again.
   *
   * @param confirmation of the plan's digest
   * @throws BackupException.Refused if something else was confirmed
   * @throws BackupException.Sink if the medium is full, read-only, or fails
   * @throws BackupException.Stopped if it was stopped
   */
  public ParityRepair repair(ParityRepairPlan plan, Confirmation confirmation)
      throws BackupException {
    if (!confirmation.of().equals(plan.digest())) {
      throw new BackupException.Refused(
          CoreFailure.PLAN_STALE,
          "confirmed was %s, the repair is %s".formatted(confirmation.of(), plan.digest()));
    }
    Medium medium = medium();
    return attempt(medium, "repair", () -> new RepairRun(medium, meter()).execute(plan));
  }

  private Medium medium() {
    return new Medium(directory, steps);
  }

  private Meter meter() {
    long instant = clock.instant().toEpochMilli();
    String id = HexFormat.of().toHexDigits(instant) + "-" + Digest.ofContent(bytes()).hex();
    return new Meter(new RunId("parity-" + id.substring(0, 33)), clock, listener, stopping);
  }

  private byte[] bytes() {
    return directory.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static <T> T attempt(Medium medium, String tried, Attempt<T> attempt)
      throws BackupException {
    try {
      return attempt.make();
    } catch (IOException e) {
      throw medium.failure(tried, e);
    }
  }

  @FunctionalInterface
  private interface Attempt<T> {
    T make() throws IOException;
  }
}
