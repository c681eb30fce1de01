package org.stellaops.backup.retention;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotName;
import org.stellaops.backup.model.SourceName;

/**
 * What would be kept and what released, each with its reasons.
 *
 * <p>The digest is of all that is released, by the digest of its entry and with the reasons that
 * will be recorded, and of the blockers. It does not depend on the instant nor on what is kept: the
 * same releases are the same deed.
 *
 * @param request what was asked for
 * @param asOf instant for which it was decided
 * @param rows one per capture, newest first
 * @param blockers what has to be mended before anything may be deleted
 * @param digest what consent is given to
 */
public record PrunePreview(
    PruneRequest request, Instant asOf, List<Row> rows, List<Finding> blockers, Digest digest) {
  public PrunePreview {
    rows = List.copyOf(rows);
    blockers = List.copyOf(blockers);
  }

  /** With the digest that belongs to it. */
  static PrunePreview of(Instant asOf, List<Row> rows, List<Finding> blockers) {
    StringBuilder text = new StringBuilder("prune\n");
    for (Row row : rows) {
      if (!row.isKept()) {
        field(
            text,
            "release " + row.log() + "/" + row.sequence() + " " + row.entry() + " " + row.source());
        row.reasons().forEach(reason -> field(text, reason));
      }
    }
    blockers.forEach(blocker -> field(text, "blocker " + blocker));
    Digest digest = Digest.ofContent(text.toString().getBytes(StandardCharsets.UTF_8));
    return new PrunePreview(PruneRequest.byRules(), asOf, rows, blockers, digest);
  }

  /** The same, as the answer to another request. */
  PrunePreview by(PruneRequest other) {
    return new PrunePreview(other, asOf, rows, blockers, digest);
  }

  /** The same with more that has to be mended first. */
  public PrunePreview blockedBy(List<Finding> more) {
    List<Finding> all = new ArrayList<>(blockers);
    all.addAll(more);
    return of(asOf, rows, all).by(request);
  }

  /** With its length in front, so that no reason can pass for something else. */
  private static void field(StringBuilder text, String field) {
    text.append(field.length()).append(' ').append(field).append('\n');
  }

  /**
   * What becomes of one source of one snapshot.
   *
   * @param name human name of the snapshot
   * @param log in which its entry stands
   * @param entry digest of the entry
   * @param capture with the time that counted
   * @param isKept kept, or released
   * @param reasons why; never empty
   */
  public record Row(
      SnapshotName name,
      String log,
      Digest entry,
      CaptureHeader capture,
      boolean isKept,
      List<String> reasons) {
    public Row {
      reasons = List.copyOf(reasons);
    }

    /** Identity of the snapshot. */
    public SnapshotId snapshot() {
      return capture.snapshot();
    }

    /** Place of the snapshot's entry in its log. */
    public long sequence() {
      return capture.sequence();
    }

    /** Which source of it. */
    public SourceName source() {
      return capture.source();
    }

    /** Which component the source is of. */
    public Component component() {
      return capture.component();
    }

    /**
     * Bytes that it takes up compressed, whoever stored them; a chunk that occurs twice counts
     * twice.
     */
    public long storedBytes() {
      return capture.storedBytes();
    }

    /** Bytes that were stored for it; what later captures share of them is not freed. */
    public long newBytes() {
      return capture.newBytes();
    }
  }

  /** What stays. */
  public List<Row> kept() {
    return rows.stream().filter(Row::isKept).toList();
  }

  /** What goes. */
  public List<Row> released() {
    return rows.stream().filter(row -> !row.isKept()).toList();
  }

  /**
   * At most so many bytes are freed: what was stored for the released, shared with the kept or not.
   */
  public long releasedBytes() {
    return released().stream().mapToLong(Row::newBytes).sum();
  }

  /** Whether it may be carried out. */
  public boolean isPossible() {
    return blockers.isEmpty();
  }

  /**
   * For whoever carries it out without asking.
   *
   * @throws BackupException.Refused BLOCKED if something has to be mended first
   */
  public void requirePossible() throws BackupException {
    if (!isPossible()) {
      throw new BackupException.Refused(
          CoreFailure.BLOCKED, "prune as of %s: %s".formatted(asOf, blockers), blockers);
    }
  }

  /**
   * For whoever carries it out with consent.
   *
   * @throws BackupException.Refused PLAN_STALE if the consent is to something else, BLOCKED if
   *     something has to be mended first
   */
  public void require(Confirmation consent) throws BackupException {
    if (!consent.of().equals(digest)) {
      throw new BackupException.Refused(
          CoreFailure.PLAN_STALE,
          "consent is to %s, the prune is %s".formatted(consent.of(), digest));
    }
    requirePossible();
  }

  /** For humans. */
  public String describe() {
    return PreviewText.of(this);
  }
}
