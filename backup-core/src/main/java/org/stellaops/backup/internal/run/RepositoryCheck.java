package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.KeptObjects;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.PackLists;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RetentionLog;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Freshness;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RepositoryReport;
import org.stellaops.backup.model.RepositoryReport.Unnamed;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.VerificationReport;
import org.stellaops.backup.model.VerificationReport.Verdict;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.KeptVersion;
import org.stellaops.backup.spi.StoredObject;

/**
 * Checks a whole repository: goes on behind every damage, looks at each object once, and tells what
 * of it is missing to whom. Changes nothing. One thread.
 */
public final class RepositoryCheck {
  private static final Set<ObjectName> FIXED =
      Set.of(Names.FORMAT, Names.RECOVER, Names.REPOSITORY, Names.SINK, Names.PROMOTED);

  private final Repository repository;
  private final StopSignal stopping;
  private final Verification depth;
  private final VerifyRun run;
  private final ObjectCheck check;
  private final DigestSet elsewhere;
  private final List<ObjectName> unnamed = new ArrayList<>();
  private long unnamedObjects;
  private long unnamedBytes;

  /** Everything stays the caller's. */
  public RepositoryCheck(
      Context context,
      Repository repository,
      StopSignal stopping,
      Verification depth,
      VerifyRun.EpochKeys epochs)
      throws IOException {
    this.repository = repository;
    this.stopping = stopping;
    this.depth = depth;
    this.elsewhere = new DigestSet(repository.scratch());
    this.run = new VerifyRun(context, repository, stopping, depth, epochs);
    this.check = run.objectCheck();
  }

  /** Is told about each snapshot when everything was looked at. */
  public interface Each {
    /** How new the log of a snapshot is. */
    Freshness freshness(SnapshotList.Known snapshot);

    /** What is to be said of a snapshot; the report to pass on. */
    VerificationReport verified(SnapshotList.Known snapshot, VerificationReport report)
        throws IOException;
  }

  /** Checks, once. Damage is in the report; only a store that cannot be read is an exception. */
  public RepositoryReport execute(SnapshotList list, Each each) throws IOException {
    try (check;
        elsewhere) {
      return checked(list, each);
    }
  }

  private RepositoryReport checked(SnapshotList list, Each each) throws IOException {
    Set<Finding> damage =
        new LinkedHashSet<>(VerifyRun.checkSurroundings(repository, list.logs(), stopping));
    Map<SnapshotList.Known, VerificationReport> unknown = new HashMap<>();
    List<VerifyRun.Subject> subjects = new ArrayList<>();
    IdentityHashMap<SnapshotList.Known, VerifyRun.Subject> byWriter = new IdentityHashMap<>();
    for (SnapshotList.Known snapshot : SnapshotList.byWriter(list.all())) {
      byWriter.put(snapshot, subject(snapshot, unknown));
    }
    list.all().forEach(snapshot -> subjects.add(byWriter.get(snapshot)));
    Map<StreamLog, ObjectCheck.Need> streams = streams();
    look(list, subjects, streams);
    streams.forEach(
        (stream, need) -> {
          damage.addAll(stream.damage());
          damage.addAll(check.of(need).damage());
        });
    List<VerificationReport> reports = new ArrayList<>();
    for (VerifyRun.Subject subject : subjects) {
      VerificationReport report = report(subject, unknown, each);
      reports.add(report);
      if (!report.isIntact()) {
        damage.addAll(report.findings());
      }
    }
    damage.addAll(hidden(damage, list.logs(), streams.keySet()));
    return new RepositoryReport(
        repository.id(),
        reports,
        List.copyOf(damage),
        check.objects(),
        check.bytes(),
        new Unnamed(unnamedObjects, unnamedBytes, unnamed));
  }

  /**
   * What somebody deleted or replaced and the store still keeps: of what is missing or damaged, and
   * of the newest entries of logs, which nothing else would miss, and which a copy may let go of.
   * What retention let go of may be kept, too, and is no damage.
   */
  private List<Finding> hidden(
      Set<Finding> damage, List<LogView> logs, Collection<StreamLog> streams) throws IOException {
    Optional<KeptObjects> kept = repository.store().kept();
    if (kept.isEmpty()) {
      return List.of();
    }
    Map<ObjectName, Finding> hidden = new LinkedHashMap<>();
    if (!repository.role().isSubset()) {
      for (KeptVersion version : kept.get().deletedBehind(heads(logs, streams))) {
        hidden.put(version.name(), KeptObjects.hidden(version, 1));
      }
    }
    for (Finding finding : damage) {
      Optional<ObjectName> name = nameOf(finding.subject());
      if (name.isPresent() && !hidden.containsKey(name.get())) {
        stopping.check();
        List<KeptVersion> versions = kept.get().of(name.get());
        if (!versions.isEmpty()) {
          hidden.put(name.get(), KeptObjects.hidden(versions.get(0), versions.size()));
        }
      }
    }
    return List.copyOf(hidden.values());
  }

  /** Where each log ends, as far as it can be seen. */
  private static Map<String, Long> heads(List<LogView> logs, Collection<StreamLog> streams) {
    Map<String, Long> heads = new HashMap<>();
    logs.forEach(log -> log.head().ifPresent(head -> heads.put(log.log(), head.sequence())));
    streams.forEach(log -> log.head().ifPresent(head -> heads.put(log.log(), head.sequence())));
    return heads;
  }

  /** Not every finding is about an object. */
  private static Optional<ObjectName> nameOf(String subject) {
    try {
      return Optional.of(ObjectName.of(subject));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** One whose key is not there, or of which nobody can tell what it needs, stops no other. */
  private VerifyRun.Subject subject(
      SnapshotList.Known snapshot, Map<SnapshotList.Known, VerificationReport> unknown)
      throws IOException {
    Optional<Identity> epoch = Optional.empty();
    try {
      epoch = run.epochOf(snapshot);
    } catch (BackupException.Stopped e) {
      throw e;
    } catch (IOException e) {
      unknown.put(snapshot, unknown(snapshot, depth, e));
    }
    try {
      return run.subject(snapshot, epoch);
    } catch (BackupException.Stopped e) {
      throw e;
    } catch (IOException e) {
      unknown.put(snapshot, unknown(snapshot, depth, e));
      ObjectCheck.Need nothing = new ObjectCheck.Need(List.of(), List.of(), epoch);
      return new VerifyRun.Subject(snapshot, nothing, List.of());
    }
  }

  /** What is wrong with one source of a snapshot; to be asked when the check is over. */
  List<Finding> damageOf(SnapshotList.Known snapshot, SourceName source) {
    return run.damageOf(snapshot, source, check);
  }

  /** Of a snapshot that could not be looked at. */
  static VerificationReport unknown(
      SnapshotList.Known snapshot, Verification depth, IOException e) {
    FailureCode code = e instanceof BackupException known ? known.code() : CoreFailure.SINK_FAILED;
    Finding finding =
        new Finding(code, snapshot.summary().name().value(), String.valueOf(e.getMessage()));
    return new VerificationReport(
        snapshot.summary().id(),
        depth.depth(),
        Verdict.UNKNOWN,
        0,
        0,
        List.of(finding),
        List.of(),
        depth.sample().stream().toList());
  }

  private Map<StreamLog, ObjectCheck.Need> streams() throws IOException {
    Map<StreamLog, ObjectCheck.Need> streams = new LinkedHashMap<>();
    for (StreamLog stream : Streams.now(repository).all()) {
      List<ObjectRef> objects =
          stream.entries().stream().flatMap(e -> e.entry().objects().stream()).toList();
      streams.put(stream, new ObjectCheck.Need(objects, List.of(), Optional.empty()));
    }
    return streams;
  }

  private void look(
      SnapshotList list, List<VerifyRun.Subject> subjects, Map<StreamLog, ObjectCheck.Need> streams)
      throws IOException {
    List<ObjectCheck.Need> needs = new ArrayList<>(streams.values());
    subjects.forEach(s -> needs.add(s.need()));
    check.collect(needs);
    for (LogView log : list.logs()) {
      nameAll(log);
    }
    repository.store().everything(this::listed);
    check.look(needs);
  }

  private VerificationReport report(
      VerifyRun.Subject subject, Map<SnapshotList.Known, VerificationReport> unknown, Each each)
      throws IOException {
    SnapshotList.Known snapshot = subject.snapshot();
    VerificationReport report = unknown.get(snapshot);
    if (report == null) {
      try {
        report = run.report(subject, check, each.freshness(snapshot));
      } catch (BackupException.Stopped e) {
        throw e;
      } catch (IOException e) {
        return unknown(snapshot, depth, e);
      }
      return each.verified(snapshot, report);
    }
    // Without its key the plain bytes are unknown, and what is wrong with the stored is known.
    for (Finding finding : check.of(subject.need()).damage()) {
      report = report.noticing(finding);
    }
    return report;
  }

  /** What an entry names is not unnamed, whether or not anybody needs it. */
  private void nameAll(LogView log) throws IOException {
    RetentionLog retention = repository.retention();
    for (LogView.Standing standing : log.entries()) {
      for (Entry.Line line : standing.entry().lines()) {
        stopping.check();
        boolean isNew = elsewhere.add(digestOf(line.path()));
        if (isNew && line.path().startsWith("w/")) {
          nameAll(line.path(), retention);
        }
      }
    }
  }

  /** A list that is gone or damaged names nothing; it is told elsewhere if somebody needs it. */
  private void nameAll(String path, RetentionLog retention) throws IOException {
    try {
      ObjectRef object = ObjectRef.parse(path);
      if (object.isList() && !check.collected(object) && !retention.isSwept(object)) {
        PackLists.readNamed(
            repository.store(), object, named -> elsewhere.add(digestOf(named.toString())));
      }
    } catch (BackupException.Corrupt e) {
      return;
    }
  }

  private static Digest digestOf(String path) {
    return Digest.ofContent(path.getBytes(StandardCharsets.UTF_8));
  }

  private void listed(StoredObject object) throws IOException {
    stopping.check();
    boolean isNamed =
        check.isListed(object)
            || FIXED.contains(object.name())
            || object.name().value().startsWith("beat/")
            || Names.slot(object.name().value()).isPresent()
            || elsewhere.contains(digestOf(object.name().value()));
    if (!isNamed) {
      unnamedObjects++;
      unnamedBytes += object.lengthBytes();
      if (unnamed.size() < Unnamed.MOST_NAMED) {
        unnamed.add(object.name());
      }
    }
  }
}
