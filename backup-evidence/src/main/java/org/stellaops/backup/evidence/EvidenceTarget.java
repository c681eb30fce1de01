package org.stellaops.backup.evidence;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.TargetDescription;

/**
 * Puts evidence into a locker that may already hold some, and changes nothing that is there: an
 * object that is equal is passed over, one that is absent is put, and if a single one differs,
 * nothing is put at all.
 *
 * <p>Staging reads and compares everything and writes nothing, because a store has no place beside
 * itself. So what publishing put stays when the restore is rolled back: evidence equal to what was
 * captured, which the next attempt passes over.
 */
public final class EvidenceTarget implements RestoreTarget {
  private final BackupSink sink;

  private EvidenceTarget(BackupSink sink) {
    this.sink = sink;
  }

  /** Into a store. */
  public static EvidenceTarget into(BackupSink sink) {
    return new EvidenceTarget(sink);
  }

  /** Into a directory: files 0600, directories 0700. What it stands in must be there. */
  public static EvidenceTarget directory(Path directory) {
    return into(DirectorySink.at(directory));
  }

  @Override
  public TargetDescription describe() {
    return new TargetDescription(sink.describe(), Map.of());
  }

  @Override
  public boolean accepts(SourceKind kind) {
    return kind.value().equals(EvidenceSource.KIND);
  }

  @Override
  public void plan(RestorePlanning planning) throws IOException {
    long bytes =
        planning
            .requested()
            .artifact(EvidenceSource.TAR)
            .map(CapturedArtifact::plainBytes)
            .orElse(0L);
    long objects = planning.requested().inventory().stream().mapToLong(InventoryItem::count).sum();
    planning.undo(RestorePlanning.Undo.IMPOSSIBLE);
    planning.step(
        "put those of %d objects that are missing into %s".formatted(objects, sink.describe()),
        bytes);
    planning.advice(
        "objects that are put", "stay when the restore is rolled back; none that is there changes");
    Digest fingerprint = Digest.ofContent(sink.describe().getBytes(StandardCharsets.UTF_8));
    try (ObjectStore store =
        sink.open(new StoreContext(InstantSource.system(), Stopping.never()))) {
      boolean isEmpty = store.list("", PageToken.START).objects().isEmpty();
      planning.state(
          new TargetState(
              isEmpty ? TargetState.Occupancy.EMPTY : TargetState.Occupancy.OCCUPIED,
              fingerprint,
              sink.describe() + (isEmpty ? " holds no object" : " holds objects")));
    } catch (BackupException.Sink e) {
      planning.state(new TargetState(TargetState.Occupancy.ABSENT, fingerprint, sink.describe()));
      planning.blocker(
          new Finding(CoreFailure.TARGET_FAILED, sink.describe(), String.valueOf(e.getMessage())));
    }
  }

  @Override
  public void stage(RestoreSession session) throws IOException {
    try (ObjectStore store = open(session)) {
      new EvidenceRestore(store, sink.describe(), session).compare();
    }
  }

  @Override
  public void publish(RestoreSession session) throws IOException {
    try (ObjectStore store = open(session)) {
      new EvidenceRestore(store, sink.describe(), session).put();
    }
  }

  private ObjectStore open(RestoreSession session) throws IOException {
    return sink.open(new StoreContext(InstantSource.system(), session.stopping()));
  }

  /** Nothing: what was put is equal to what was captured, and evidence is never deleted. */
  @Override
  public void rollBack(RestoreSession session) {}

  @Override
  public String toString() {
    return "EvidenceTarget " + sink.describe();
  }
}
