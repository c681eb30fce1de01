package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.stellaops.backup.bundle.ImportReport;
import org.stellaops.backup.bundle.OfflineBundle;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.internal.run.SnapshotClosure.Item;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.LogHead;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RepositoryReport;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.VerificationReport;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoreContext;

/** Verifies a bundle in quarantine, and stores what it holds in a copy, entries last. */
public final class ImportRun {
  private final Quarantine quarantine;
  private final BackupSink copy;
  private final Trust trust;
  private final Options options;
  private final Listeners listeners;
  private final SecureRandom random = new SecureRandom();
  private final ProgressMeter progress;
  private boolean isVerified;
  private List<String> swept = List.of();

  /**
   * What can be said of an import.
   *
   * @param label of a store that becomes a copy
   * @param reason to import what is older than what is there
   */
  public record Options(
      String label, InstantSource clock, Optional<String> reason, List<BackupListener> listeners) {
    public Options {
      listeners = List.copyOf(listeners);
    }
  }

  /** Everything stays the caller's. */
  public ImportRun(Quarantine quarantine, BackupSink copy, Trust trust, Options options) {
    this.quarantine = quarantine;
    this.copy = copy;
    this.trust = trust;
    this.options = options;
    this.listeners = new Listeners(options.listeners());
    RunId run = new RunId(Ulid.at(options.clock().instant(), random));
    this.progress = new ProgressMeter(run, options.clock(), listeners);
  }

  /** Imports a bundle; once. */
  public ImportReport execute(OfflineBundle bundle) throws IOException {
    swept = quarantine.sweep(copy.describe());
    Quarantine.Held held = quarantine.bring(bundle, copy.describe(), progress);
    ImportReport report;
    try {
      report = store(bundle, held.bundle());
    } catch (IOException e) {
      boolean isBundlesFault = e instanceof BackupException.Corrupt && !isVerified;
      if (isBundlesFault) {
        quarantine.keep(held, String.valueOf(e.getMessage()));
      } else {
        // Nothing is known against the bundle: it can be brought again from where it is.
        quarantine.release(held);
      }
      throw e;
    } catch (RuntimeException mistake) {
      quarantine.release(held);
      throw mistake;
    }
    quarantine.release(held);
    return report;
  }

  private ImportReport store(OfflineBundle origin, OfflineBundle held) throws IOException {
    StoreContext opening = new StoreContext(options.clock(), Stopping.never());
    try (Closing all = new Closing()) {
      ReadableStore from = all.add(held.open(opening));
      Context context = context();
      all.add(context.threads()::close);
      Repository repository = open(context, from, held);
      SnapshotAccess access =
          all.add(
              new SnapshotAccess(
                  context,
                  repository,
                  List.of(),
                  Optional.empty(),
                  () -> new RestorePlanner(Map.of(), Map.of())));
      List<SnapshotList.Known> snapshots = verified(context, access, held);
      isVerified = true;
      ObjectStore to = all.add(copy.open(opening));
      return store(origin, context, repository, access.list(), snapshots, to);
    }
  }

  private Context context() throws IOException {
    return new Context(
        options.clock(), Threads.of(null, 2), 2, Workspace.in(Optional.empty()), listeners, random);
  }

  private Repository open(Context context, ReadableStore store, OfflineBundle bundle)
      throws IOException {
    return Repository.open(new StoreAccess(store), trust, context.workspace(), options.clock())
        .orElseThrow(
            () ->
                new BackupException.Corrupt(
                    CoreFailure.NOT_A_REPOSITORY,
                    "there is no repository in " + bundle.describe()));
  }

  /** Taken from nobody, so that nothing depends on which version wrote them. */
  private static final Set<String> NOT_TAKEN = Set.of(Names.FORMAT.value(), Names.RECOVER.value());

  /**
   * All bytes, all signatures, all chains, all keys that somebody who is trusted names; a bundle
   * that nobody vouches for is damaged, too.
   */
  private List<SnapshotList.Known> verified(
      Context context, SnapshotAccess access, OfflineBundle bundle) throws IOException {
    List<Finding> damage = new ArrayList<>(bundle.damage());
    damage.addAll(access.damage());
    StopSignal never = new StopSignal(context.clock());
    try {
      RepositoryReport all = access.check(Verification.stored(), never);
      all.damage().stream().filter(f -> !NOT_TAKEN.contains(f.subject())).forEach(damage::add);
      for (VerificationReport report : all.snapshots()) {
        damage.addAll(report.findings());
        if (report.verdict() == VerificationReport.Verdict.INTACT_UNAUTHENTICATED) {
          damage.add(
              new Finding(
                  CoreFailure.UNTRUSTED_WRITER,
                  report.snapshot().toString(),
                  "nobody who is trusted signed it"));
        }
      }
    } finally {
      never.close();
    }
    List<SnapshotList.Known> snapshots = access.matching(SnapshotFilter.all());
    if (snapshots.isEmpty() && damage.isEmpty()) {
      damage.add(
          new Finding(CoreFailure.NOT_FOUND, bundle.describe(), "holds no snapshot to be trusted"));
    }
    if (!damage.isEmpty()) {
      throw new BackupException.Corrupt(
          damage.get(0).code(),
          "%s did not pass, and stays in quarantine: %s".formatted(bundle.describe(), damage),
          damage);
    }
    return snapshots;
  }

  private ImportReport store(
      OfflineBundle origin,
      Context context,
      Repository repository,
      SnapshotList list,
      List<SnapshotList.Known> snapshots,
      ObjectStore store)
      throws IOException {
    StoreAccess to = new StoreAccess(store);
    try (ObjectCopy into = new ObjectCopy(repository, to, Stopping.never(), false)) {
      return store(origin, context, repository, list, snapshots, to, into);
    }
  }

  private ImportReport store(
      OfflineBundle origin,
      Context context,
      Repository repository,
      SnapshotList list,
      List<SnapshotList.Known> snapshots,
      StoreAccess to,
      ObjectCopy into)
      throws IOException {
    boolean isNew = into.requireTarget(StoreRole.COPY).isEmpty();
    List<LogHead> heads = heads(list);
    boolean isBackwards = !isNew && isBackwards(context, to, heads);
    if (isBackwards && options.reason().isEmpty()) {
      throw new BackupException.Refused(
          CoreFailure.IMPORT_BACKWARDS,
          "%s brings nothing newer than %s has: %s"
              .formatted(origin.describe(), copy.describe(), heads));
    }
    // Before anything is done, so that no import goes unrecorded.
    quarantine.record(
        "begins %s into %s, heads %s%s"
            .formatted(
                origin.describe(),
                copy.describe(),
                heads,
                isBackwards ? ", backwards: " + options.reason().orElse("") : ""));
    into.begin(StoreRole.COPY, options.label());
    into.takeInventory();
    SnapshotClosure closure = SnapshotClosure.of(repository, list, snapshots);
    into.requireSameLogs(closure);
    copyAll(Vouched.of(repository, list), closure, into);
    quarantine.record(
        "ends %s, %d objects stored".formatted(origin.describe(), into.tally().sent()));
    return new ImportReport(
        snapshots.stream().map(s -> s.summary().id()).toList(),
        heads,
        isBackwards,
        isBackwards ? options.reason() : Optional.empty(),
        into.tally().sent(),
        into.tally().there(),
        swept);
  }

  /** The newest entry of each writer's log. */
  private static List<LogHead> heads(SnapshotList list) {
    List<LogHead> heads = new ArrayList<>();
    for (LogView log : list.logs()) {
      if (Names.isWriter(log.log()) && !log.entries().isEmpty()) {
        Entry newest = log.entries().get(log.entries().size() - 1).entry();
        heads.add(new LogHead(log.log(), newest.sequence(), newest.digest()));
      }
    }
    return heads;
  }

  /** Whether the copy has something newer of every log that the bundle brings something of. */
  private boolean isBackwards(Context context, StoreAccess to, List<LogHead> heads)
      throws IOException {
    Optional<Repository> there = Repository.open(to, trust, context.workspace(), options.clock());
    if (there.isEmpty()) {
      return false;
    }
    Map<String, Long> newest = new TreeMap<>();
    for (LogView log : there.get().views()) {
      log.head().ifPresent(head -> newest.put(log.log(), head.sequence()));
    }
    return !heads.isEmpty()
        && heads.stream().allMatch(h -> newest.getOrDefault(h.log(), 0L) > h.sequence());
  }

  /**
   * What somebody who is trusted stands for in a bundle. Its keys that nobody names are for whoever
   * carried it; its entries that somebody else signed would take slots in the copy for good.
   *
   * @param keys paths of keys, with their digests
   * @param doubted entries that nobody who is trusted signed
   */
  private record Vouched(Map<String, Digest> keys, Set<ObjectName> doubted) {
    static Vouched of(Repository repository, SnapshotList list) throws IOException {
      Map<String, Digest> keys = new HashMap<>();
      Set<ObjectName> doubted = new HashSet<>();
      for (LogView log : list.logs()) {
        for (LogView.Standing standing : log.entries()) {
          if (standing.isTrusted()) {
            standing.entry().lines().stream()
                .filter(line -> line.path().startsWith("keys/"))
                .forEach(line -> keys.put(line.path(), line.stored()));
          } else {
            doubted.add(StoreAccess.entry(log.log(), standing.entry().sequence()));
          }
        }
      }
      for (StreamLog log : Streams.now(repository).all()) {
        if (!log.isTrusted()) {
          log.entries()
              .forEach(e -> doubted.add(StoreAccess.entry(log.log(), e.place().sequence())));
        }
      }
      return new Vouched(keys, doubted);
    }

    boolean isFor(Item item) {
      return switch (item.kind()) {
        case KEY -> item.stored().equals(keys.get(item.name().value()));
        case ENTRY -> !doubted.contains(item.name());
        default -> true;
      };
    }
  }

  private void copyAll(Vouched vouched, SnapshotClosure closure, ObjectCopy into)
      throws IOException {
    long expectedBytes = closure.lengthBytes();
    progress.begin("import", expectedBytes);
    long[] seen = {0};
    closure.forEach(
        (Item item) -> {
          if (!vouched.isFor(item)) {
            return;
          }
          Optional<Finding> damage = into.copy(item);
          if (damage.isPresent()) {
            throw new BackupException.Corrupt(
                damage.get().code(), damage.get().toString(), List.of(damage.get()));
          }
          seen[0] += item.lengthBytes();
          progress.at(seen[0], into.tally().sent() + into.tally().there(), expectedBytes);
        });
    progress.end();
  }
}
