package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.KeptObjects;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Freshness;
import org.stellaops.backup.model.LostCapture;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RepairReport;
import org.stellaops.backup.model.RepositoryReport;
import org.stellaops.backup.model.SnapshotName;
import org.stellaops.backup.model.VerificationReport;
import org.stellaops.backup.plan.RepairPlan;
import org.stellaops.backup.plan.RepairRequest;
import org.stellaops.backup.spi.KeptVersion;
import org.stellaops.backup.spi.ObjectLocation;
import org.stellaops.backup.spi.StoreContext;

/**
 * Stores again what is damaged or missing and what a copy has sound: exactly the bytes that were
 * signed, or nothing. Removes nothing. One thread.
 */
public final class RepairRun {
  private final Context context;
  private final Repository repository;
  private final StopSignal stopping;
  private final Map<String, Map<Long, Signed>> before = new HashMap<>();

  /** Everything stays the caller's. */
  public RepairRun(Context context, Repository repository, StopSignal stopping) {
    this.context = context;
    this.repository = repository;
    this.stopping = stopping;
  }

  /** Freshness of the log of a snapshot. */
  @FunctionalInterface
  public interface Newness {
    /** How new it is. */
    Freshness of(SnapshotList.Known snapshot);
  }

  /** Checks, and finds out what could be stored again; changes nothing. */
  public RepairPlan plan(
      RepairRequest request, SnapshotList list, VerifyRun.EpochKeys epochs, Newness newness)
      throws IOException {
    RepositoryCheck check =
        new RepositoryCheck(context, repository, stopping, request.depth(), epochs);
    RepositoryReport found = check.execute(list, silent(newness));
    try (Closing opened = new Closing()) {
      List<Copy> copies = open(request.copies(), opened);
      List<RepairPlan.Step> steps = new ArrayList<>();
      List<Finding> unrepaired = new ArrayList<>();
      Set<String> repaired = new HashSet<>();
      for (Finding finding : found.damage()) {
        if (!repaired.contains(finding.subject())) {
          Optional<RepairPlan.Step> step = step(finding, list.logs(), copies);
          if (step.isPresent() && isPossible(step.get())) {
            steps.add(step.get());
            repaired.add(finding.subject());
          } else {
            unrepaired.add(unrepaired(finding, step));
          }
        }
      }
      unrepaired.removeIf(f -> isToldOfTheEntryBelow(f, repaired));
      return RepairPlan.of(request, found, steps, unrepaired, lost(list, check, repaired));
    }
  }

  private boolean isPossible(RepairPlan.Step step) {
    return step.isBroughtBack() || !step.isThere() || repository.store().canMend();
  }

  /** A plan leaves no records and tells nobody. */
  private static RepositoryCheck.Each silent(Newness newness) {
    return new RepositoryCheck.Each() {
      @Override
      public Freshness freshness(SnapshotList.Known snapshot) {
        return newness.of(snapshot);
      }

      @Override
      public VerificationReport verified(SnapshotList.Known snapshot, VerificationReport report) {
        return report;
      }
    };
  }

  /** A copy that is open. */
  private record Copy(String name, StoreAccess store) {}

  private List<Copy> open(List<ObjectLocation> locations, Closing opened) throws IOException {
    List<Copy> copies = new ArrayList<>();
    for (ObjectLocation location : locations) {
      var store = opened.add(location.open(new StoreContext(context.clock(), stopping)));
      copies.add(new Copy(location.describe(), new StoreAccess(store)));
    }
    copies.add(new Copy("this version of the library", repository.writtenFiles()));
    return copies;
  }

  private Optional<RepairPlan.Step> step(Finding finding, List<LogView> logs, List<Copy> copies)
      throws IOException {
    Optional<Digest> expected = expected(finding.subject(), logs);
    if (expected.isEmpty()) {
      expected = fixed(finding.subject(), copies);
    }
    if (expected.isEmpty()) {
      expected = entry(finding.subject(), logs, copies);
    }
    if (expected.isEmpty()) {
      return Optional.empty();
    }
    ObjectName name = ObjectName.of(finding.subject());
    if (soundLength(name, expected.get(), repository.store()).isPresent()) {
      return Optional.empty();
    }
    boolean isThere = repository.store().lengthOf(name).isPresent();
    Optional<KeptVersion> kept = kept(name, expected.get());
    if (kept.isPresent()) {
      return Optional.of(
          new RepairPlan.Step(
              name,
              expected.get(),
              kept.get().lengthBytes(),
              RepairPlan.Step.BROUGHT_BACK,
              "what this store keeps, stored at " + kept.get().storedAt(),
              isThere));
    }
    for (int i = 0; i < copies.size(); i++) {
      Optional<Long> length = soundLength(name, expected.get(), copies.get(i).store());
      if (length.isPresent()) {
        return Optional.of(
            new RepairPlan.Step(
                name, expected.get(), length.get(), i, copies.get(i).name(), isThere));
      }
    }
    return Optional.empty();
  }

  /** What the store itself still has behind a deletion or under what replaced it. */
  private Optional<KeptVersion> kept(ObjectName name, Digest expected) throws IOException {
    Optional<KeptObjects> kept = repository.store().kept();
    return kept.isPresent() ? kept.get().sound(name, expected, stopping) : Optional.empty();
  }

  /** What was signed of an object: in its name, or in the line of an entry that names it. */
  private Optional<Digest> expected(String subject, List<LogView> logs) {
    if (subject.startsWith("w/")) {
      try {
        return Optional.of(ObjectRef.parse(subject).stored());
      } catch (BackupException e) {
        return Optional.empty();
      }
    }
    for (LogView log : logs) {
      for (LogView.Standing standing : log.entries()) {
        boolean isBelieved = standing.isTrusted() || !repository.isPinned();
        Optional<Digest> said = isBelieved ? said(standing.entry(), subject) : Optional.empty();
        if (said.isPresent()) {
          return said;
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<Digest> fixed(String subject, List<Copy> copies) throws IOException {
    StoreAccess fixed = copies.get(copies.size() - 1).store();
    return Names.slot(subject).isPresent() || subject.indexOf('/') >= 0
        ? Optional.empty()
        : Repository.fixed(fixed, ObjectName.of(subject));
  }

  /**
   * The newest entry of a log, and those of streams, are named by nobody: of them it counts who
   * signed them. Where there is an entry that counts, none takes its place.
   */
  private Optional<Digest> entry(String subject, List<LogView> logs, List<Copy> copies)
      throws IOException {
    OptionalLong slot = Names.slot(subject);
    String log = slot.isPresent() ? subject.split("/", -1)[1] : "";
    if (slot.isEmpty() || !isLog(log) || entry(repository, log, slot.getAsLong()).isPresent()) {
      return Optional.empty();
    }
    Optional<Digest> before =
        Optional.ofNullable(before(log).get(slot.getAsLong()))
            .filter(e -> fits(e, log, slot.getAsLong(), logs))
            .map(Signed::digest);
    if (before.isPresent()) {
      return before;
    }
    for (Copy copy : copies) {
      Optional<Digest> theirs = entry(copy.store(), log, slot, logs);
      if (theirs.isPresent()) {
        return theirs;
      }
    }
    return Optional.empty();
  }

  private Optional<Digest> entry(
      StoreAccess elsewhere, String log, OptionalLong slot, List<LogView> logs) throws IOException {
    return entry(repository.in(elsewhere), log, slot.getAsLong())
        .filter(e -> fits(e, log, slot.getAsLong(), logs))
        .map(Signed::digest);
  }

  /** What a log was when each of its slots was first filled, as far as the store keeps that. */
  private Map<Long, Signed> before(String log) throws IOException {
    Map<Long, Signed> known = before.get(log);
    if (known == null) {
      Optional<KeptObjects> kept = repository.store().kept();
      known =
          kept.isPresent()
              ? entries(repository.in(kept.get().before("log/" + log + "/")), log)
              : Map.of();
      before.put(log, known);
    }
    return known;
  }

  private static boolean isLog(String log) {
    return Names.isStream(log) || Names.isCommon(log) || Names.isWriter(log);
  }

  /** An entry that counts, and what it says stands below it. */
  private record Signed(Digest digest, Optional<Digest> below) {}

  private static Optional<Signed> entry(Repository in, String log, long slot) throws IOException {
    return Optional.ofNullable(entries(in, log).get(slot));
  }

  /** By their slots, those that count. */
  private static Map<Long, Signed> entries(Repository in, String log) throws IOException {
    Map<Long, Signed> entries = new HashMap<>();
    if (Names.isStream(log)) {
      StreamLog stream = in.stream(log);
      if (stream.isTrusted() || !in.isPinned()) {
        stream
            .entries()
            .forEach(
                e ->
                    entries.put(
                        e.place().sequence(), new Signed(e.place().digest(), Optional.empty())));
      }
      return entries;
    }
    for (LogView.Standing standing : in.log(log).entries()) {
      if (standing.isTrusted() || !in.isPinned()) {
        Entry entry = standing.entry();
        entries.put(entry.sequence(), new Signed(entry.digest(), entry.previous()));
      }
    }
    return entries;
  }

  /** Whether it follows what stands below it here, if that can be read. */
  private static boolean fits(Signed entry, String log, long slot, List<LogView> logs) {
    return logs.stream()
        .filter(l -> l.log().equals(log))
        .flatMap(l -> l.entries().stream())
        .filter(s -> s.entry().sequence() == slot - 1)
        .allMatch(s -> entry.below().equals(Optional.of(s.entry().digest())));
  }

  /** What an entry says of an object that it names, or of the entry below it. */
  private static Optional<Digest> said(Entry entry, String subject) {
    String below = StoreAccess.entry(entry.log(), entry.sequence() - 1).value();
    return below.equals(subject)
        ? entry.previous()
        : entry.lines().stream()
            .filter(l -> l.path().equals(subject))
            .map(Entry.Line::stored)
            .findFirst();
  }

  /** A sound entry does not fit what is damaged below it, and will when that is mended. */
  private static boolean isToldOfTheEntryBelow(Finding finding, Set<String> repaired) {
    OptionalLong slot = Names.slot(finding.subject());
    if (finding.code() != CoreFailure.CHAIN_BROKEN || slot.isEmpty()) {
      return false;
    }
    String log = finding.subject().split("/", -1)[1];
    return repaired.contains(StoreAccess.entry(log, slot.getAsLong() - 1).value());
  }

  private Optional<Long> soundLength(ObjectName name, Digest expected, StoreAccess copy)
      throws IOException {
    try {
      var length = copy.lengthOf(name);
      if (length.isEmpty()) {
        return Optional.empty();
      }
      copy.verify(name, expected, length.getAsLong(), stopping);
      return Optional.of(length.getAsLong());
    } catch (BackupException.Corrupt e) {
      return Optional.empty();
    }
  }

  private static Finding unrepaired(Finding finding, Optional<RepairPlan.Step> step) {
    String next =
        step.map(
                s ->
                    "a sound one is in %s, but this store cannot set aside what stands there; hint: have somebody who may delete there move it away, then repair again"
                        .formatted(s.from()))
            .orElse("no copy that was named has a sound one");
    return new Finding(finding.code(), finding.subject(), finding.found() + "; " + next);
  }

  /** In the order of the list, newest first. */
  private static List<LostCapture> lost(
      SnapshotList list, RepositoryCheck check, Set<String> repaired) {
    List<LostCapture> lost = new ArrayList<>();
    for (int i = 0; i < list.all().size(); i++) {
      SnapshotList.Known snapshot = list.all().get(i);
      for (CaptureHeader capture : snapshot.summary().captures()) {
        if (isLost(snapshot, capture, check, repaired)) {
          Optional<SnapshotName> newer = Optional.empty();
          for (int j = i - 1; j >= 0 && newer.isEmpty(); j--) {
            newer = whole(list.all().get(j), capture, check, repaired);
          }
          lost.add(
              new LostCapture(
                  snapshot.summary().id(),
                  snapshot.summary().name(),
                  capture.source(),
                  capture.component(),
                  newer));
        }
      }
    }
    return lost;
  }

  private static boolean isLost(
      SnapshotList.Known snapshot,
      CaptureHeader capture,
      RepositoryCheck check,
      Set<String> repaired) {
    return check.damageOf(snapshot, capture.source()).stream()
        .anyMatch(f -> !repaired.contains(f.subject()));
  }

  private static Optional<SnapshotName> whole(
      SnapshotList.Known snapshot,
      CaptureHeader like,
      RepositoryCheck check,
      Set<String> repaired) {
    boolean isWhole =
        snapshot.summary().captures().stream()
            .filter(c -> c.source().equals(like.source()))
            .filter(c -> c.component().equals(like.component()))
            .anyMatch(c -> !isLost(snapshot, c, check, repaired));
    return isWhole ? Optional.of(snapshot.summary().name()) : Optional.empty();
  }

  /**
   * Carries out a plan, and goes on behind what fails. Every object is compared with what was
   * signed on its way and when it is there.
   */
  public RepairReport repair(RepairPlan plan, Confirmation consent) throws IOException {
    if (!consent.of().equals(plan.digest())) {
      throw new BackupException.Refused(
          CoreFailure.PLAN_STALE,
          "consent is to %s, the plan is %s".formatted(consent.of(), plan.digest()));
    }
    List<ObjectName> stored = new ArrayList<>();
    List<Finding> failed = new ArrayList<>();
    try (Closing opened = new Closing()) {
      List<Copy> copies = open(plan.request().copies(), opened);
      for (RepairPlan.Step step : plan.steps()) {
        attempt(step, copies, stored, failed);
      }
    }
    boolean isMoreNamed =
        stored.stream()
            .map(ObjectName::value)
            .anyMatch(n -> n.endsWith(".sums") || Names.slot(n).isPresent());
    return new RepairReport(stored, failed, plan.unrepaired(), plan.lost(), isMoreNamed);
  }

  private void attempt(
      RepairPlan.Step step, List<Copy> copies, List<ObjectName> stored, List<Finding> failed)
      throws BackupException {
    try {
      stopping.check();
      if (!isSound(step)) {
        store(step, copies);
      }
      stored.add(step.object());
    } catch (BackupException.Stopped e) {
      throw e;
    } catch (IOException e) {
      FailureCode code =
          e instanceof BackupException known ? known.code() : CoreFailure.SINK_FAILED;
      failed.add(new Finding(code, step.object().value(), Cause.words(e)));
    }
  }

  private void store(RepairPlan.Step step, List<Copy> copies) throws IOException {
    if (step.isBroughtBack()) {
      bringBack(step);
      return;
    }
    repository
        .store()
        .copyFrom(
            copies.get(step.copy()).store(),
            step.object(),
            step.stored(),
            step.lengthBytes(),
            step.isThere(),
            stopping);
  }

  /** Read once more before, since somebody is at it, and once it is back. */
  private void bringBack(RepairPlan.Step step) throws IOException {
    Optional<KeptVersion> version = kept(step.object(), step.stored());
    if (version.isEmpty()) {
      throw new BackupException.Corrupt(
          CoreFailure.OBJECT_NOT_FOUND,
          step.object() + " is kept no more by this store as it was signed");
    }
    repository.store().kept().orElseThrow().bringBack(version.get());
    repository.store().verify(step.object(), step.stored(), step.lengthBytes(), stopping);
  }

  /** Somebody else, or this before it was killed, may have stored it since it was planned. */
  private boolean isSound(RepairPlan.Step step) throws IOException {
    try {
      repository.store().verify(step.object(), step.stored(), step.lengthBytes(), stopping);
      return true;
    } catch (BackupException.Corrupt e) {
      return false;
    }
  }
}
