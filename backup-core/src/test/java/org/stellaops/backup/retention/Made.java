package org.stellaops.backup.retention;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotName;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.SnapshotSummary.VerificationRecord;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.VerificationReport.Depth;
import org.stellaops.backup.model.VerificationReport.Verdict;

/** A snapshot of a made-up history; each method gives a changed one. */
record Made(
    String log,
    long sequence,
    String id,
    List<CaptureHeader> captures,
    Map<Component, Integer> planned,
    boolean isPinned,
    List<VerificationRecord> verifications) {
  static final SourceName DB = SourceName.of("db");

  /** With one good, full capture of the database. */
  static Made of(String log, long sequence, String time) {
    return empty(log, sequence, "%s-%d".formatted(log, sequence))
        .with("db", Component.DATABASE, Instant.parse(time), Outcome.GOOD);
  }

  static Made empty(String log, long sequence, String id) {
    return new Made(log, sequence, id, List.of(), Map.of(), true, List.of());
  }

  Made with(String source, Component of, Instant time, Outcome outcome, String... parents) {
    List<CaptureHeader> more = new ArrayList<>(captures);
    more.add(
        new CaptureHeader(
            new SnapshotId(id),
            SourceName.of(source),
            of,
            SourceKind.of("made/1"),
            time,
            sequence,
            outcome,
            Arrays.stream(parents).map(SnapshotId::new).toList(),
            Optional.empty(),
            1000,
            100,
            10));
    Map<Component, Integer> plan = new TreeMap<>(planned);
    plan.merge(of, 1, Integer::sum);
    return new Made(log, sequence, id, more, plan, isPinned, verifications);
  }

  Made outcome(Outcome outcome) {
    return again(captures.get(0).time(), outcome, List.of());
  }

  Made needing(String... parents) {
    return again(
        captures.get(0).time(),
        captures.get(0).outcome(),
        Arrays.stream(parents).map(SnapshotId::new).toList());
  }

  private Made again(Instant time, Outcome outcome, List<SnapshotId> parents) {
    String[] ids = parents.stream().map(SnapshotId::value).toArray(String[]::new);
    return new Made(log, sequence, id, List.of(), Map.of(), isPinned, verifications)
        .with("db", Component.DATABASE, time, outcome, ids);
  }

  Made named(String other) {
    CaptureHeader c = captures.get(0);
    String[] ids = c.parents().stream().map(SnapshotId::value).toArray(String[]::new);
    return new Made(log, sequence, other, List.of(), Map.of(), isPinned, verifications)
        .with("db", c.component(), c.time(), c.outcome(), ids);
  }

  Made missing(Component component) {
    Map<Component, Integer> plan = new TreeMap<>(planned);
    plan.merge(component, 1, Integer::sum);
    return new Made(log, sequence, id, captures, plan, isPinned, verifications);
  }

  Made unpinned() {
    return new Made(log, sequence, id, captures, planned, false, verifications);
  }

  Made verified(Verdict verdict, boolean byAnother) {
    List<VerificationRecord> more = new ArrayList<>(verifications);
    more.add(
        new VerificationRecord(
            captures.get(0).time(), Depth.STORED, verdict, "key " + byAnother, byAnother));
    return new Made(log, sequence, id, captures, planned, isPinned, more);
  }

  Made without(List<CaptureHeader> released) {
    List<CaptureHeader> left = captures.stream().filter(c -> !released.contains(c)).toList();
    return new Made(log, sequence, id, left, planned, isPinned, verifications);
  }

  SnapshotSummary summary() {
    return new SnapshotSummary(
        new SnapshotId(id),
        SnapshotName.of("name-" + sequence),
        "nightly",
        log,
        sequence,
        Digest.ofContent("%s/%d".formatted(log, sequence).getBytes(UTF_8)),
        captures.isEmpty() ? Instant.EPOCH : captures.get(0).time(),
        captures.stream().map(CaptureHeader::outcome).reduce(Outcome.GOOD, Outcome::worst),
        planned,
        captures,
        isPinned,
        verifications);
  }

  static History history(String now, Made... made) {
    return history(Instant.parse(now), List.of(made));
  }

  static History history(Instant now, List<Made> made) {
    return History.of(
        made.stream().filter(m -> !m.captures().isEmpty()).map(Made::summary).toList(), now);
  }

  /** {@code log/sequence} of what is released, in order of the preview. */
  static List<String> released(PrunePreview preview) {
    return preview.released().stream().map(r -> r.log() + "/" + r.sequence()).toList();
  }
}
