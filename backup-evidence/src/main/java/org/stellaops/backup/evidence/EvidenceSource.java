package org.stellaops.backup.evidence;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.files.DirectoryLocation;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.HoldContext;
import org.stellaops.backup.spi.ObjectLocation;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.SourceDescription;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoreContext;

/**
 * An evidence locker: objects that are written once. A value; each method that adds to it returns
 * another one.
 *
 * <p>Two artifacts: {@code objects.tar}, all objects in the order of their names, and {@code
 * objects.tar.index}, a line of JSON per object with its place and digest. Every capture reads
 * every object, since a store's word that nothing changed proves nothing; what is already in the
 * repository is stored once. The properties {@code new-objects}, {@code new-bytes}, {@code
 * known-objects} and {@code known-bytes} say how much was new.
 *
 * <p>Compared with the capture before, an object that changed is a finding UNEXPECTED_CHANGE, one
 * that is gone OBJECT_MISSING; an object whose name holds a SHA-256 that is not its own
 * NOT_AS_NAMED. The newest object below {@code anchors/} is witnessed: a chain of anchors cannot
 * show that its end was cut off.
 */
public final class EvidenceSource implements BackupSource {
  /** Format of what this source captures. */
  public static final String KIND = "evidence/1";

  static final ArtifactName TAR = ArtifactName.of("objects.tar");
  static final ArtifactName INDEX = ArtifactName.of("objects.tar.index");

  /** What a locker rewrites: its index, its head, its holds and its list of trust. */
  private static final List<String> CHANGING =
      List.of("index.json", "index/", "head.json", "anchors/head.json", "holds/", "trust/");

  private static final String CHECK = "check.evidence";

  private final ObjectLocation location;
  private final @Nullable Path directory;
  private final Optional<SourceName> index;
  private final DeletionHold hold;
  private final List<String> changing;

  private EvidenceSource(
      ObjectLocation location,
      @Nullable Path directory,
      Optional<SourceName> index,
      DeletionHold hold,
      List<String> changing) {
    this.location = location;
    this.directory = directory;
    this.index = index;
    this.hold = hold;
    this.changing = List.copyOf(changing);
  }

  /** All objects of a store that is only read. */
  public static EvidenceSource in(ObjectLocation location) {
    return new EvidenceSource(location, null, Optional.empty(), DeletionHold.NONE, CHANGING);
  }

  /** All files below a directory. */
  public static EvidenceSource directory(Path directory) {
    return new EvidenceSource(
        DirectoryLocation.at(directory), directory, Optional.empty(), DeletionHold.NONE, CHANGING);
  }

  /**
   * Captured after the source that holds the locker's index: rows then never point at objects that
   * are not in the snapshot.
   *
   * @param source what the plan calls it
   */
  public EvidenceSource indexedBy(String source) {
    return new EvidenceSource(
        location, directory, Optional.of(SourceName.of(source)), hold, changing);
  }

  /** Held while a run captures. */
  public EvidenceSource holding(DeletionHold hold) {
    return new EvidenceSource(location, directory, index, hold, changing);
  }

  /**
   * Names that may change or go without a finding, besides the locker's own index, head, holds and
   * trust.
   *
   * @param names whole names, or beginnings that end in {@code /}
   */
  public EvidenceSource changing(String... names) {
    List<String> all = new ArrayList<>(changing);
    all.addAll(List.of(names));
    return new EvidenceSource(location, directory, index, hold, all);
  }

  @Override
  public SourceDescription describe() {
    SourceDescription description =
        SourceDescription.of(KIND, Component.EVIDENCE, Stage.OBJECTS).incremental();
    return index.map(description::after).orElse(description);
  }

  @Override
  public void check(Checks checks) throws IOException {
    try (ReadableStore store = open(checks.clock(), checks.stopping())) {
      boolean isEmpty = store.list("", PageToken.START).objects().isEmpty();
      checks.add(
          isEmpty
              ? CheckResult.fail(
                  CHECK, "no object in " + location.describe(), CoreFailure.EMPTY_ARTIFACT.remedy())
              : CheckResult.pass(CHECK, "objects found in " + location.describe()));
    } catch (BackupException.Sink e) {
      checks.add(CheckResult.fail(CHECK, String.valueOf(e.getMessage()), e.code().remedy()));
    }
  }

  @Override
  public Closeable hold(HoldContext context) throws IOException {
    return hold.hold(context.run());
  }

  @Override
  public void capture(CaptureSession session) throws IOException {
    try (ReadableStore store = open(session.clock(), session.stopping())) {
      // For whoever rebuilds the host.
      session.property("root", location.describe());
      new EvidenceCapture(store, location.describe(), changing, session).run();
    } catch (BackupException.Sink e) {
      // To the run, the store that evidence is read from is a source.
      throw new BackupException.Source(
          CoreFailure.SOURCE_FAILED,
          "read evidence from %s: %s".formatted(location.describe(), e.getMessage()),
          e);
    }
  }

  private ReadableStore open(InstantSource clock, Stopping stopping) throws IOException {
    return location.open(new StoreContext(clock, stopping));
  }

  /** The directory it was captured from; a store that was only read is not written to unasked. */
  @Override
  public Optional<RestoreTarget> origin() {
    return Optional.ofNullable(directory).map(EvidenceTarget::directory);
  }

  @Override
  public String toString() {
    return "EvidenceSource " + location.describe();
  }
}
