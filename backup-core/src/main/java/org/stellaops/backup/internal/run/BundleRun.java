package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.stellaops.backup.bundle.BundleFile;
import org.stellaops.backup.bundle.BundleReport;
import org.stellaops.backup.bundle.BundleRequest;
import org.stellaops.backup.internal.repository.Epochs;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreContext;

/** Writes chosen snapshots of a repository, with everything that they need, into one bundle. */
final class BundleRun {
  private final Context context;
  private final Repository repository;
  private final Trust trust;
  private final StopSignal stopping;
  private final ProgressMeter progress;

  BundleRun(Context context, Repository repository, Trust trust, StopSignal stopping) {
    this.context = context;
    this.repository = repository;
    this.trust = trust;
    this.stopping = stopping;
    this.progress =
        new ProgressMeter(BackupRun.newRun(context), context.clock(), context.listeners());
  }

  /**
   * Writes it.
   *
   * @param by identities that open the snapshots, for where others are to open them, too
   */
  BundleReport execute(
      BundleRequest request, SnapshotList list, List<SnapshotList.Known> chosen, List<Identity> by)
      throws IOException {
    SnapshotClosure closure = SnapshotClosure.of(repository, list, chosen);
    // The keys come first: without them nothing is begun.
    Map<ObjectName, byte[]> keys = request.more().isEmpty() ? Map.of() : keys(request, closure, by);
    try (BundleFile bundle = BundleFile.create(request.file(), request.volumeBytes());
        ObjectStore store = bundle.sink().open(new StoreContext(context.clock(), stopping));
        ObjectCopy copy = new ObjectCopy(repository, new StoreAccess(store), stopping, false)) {
      copy.begin(StoreRole.BUNDLE, request.label());
      bundle.addRecovery(trust, entries(chosen));
      for (Map.Entry<ObjectName, byte[]> key : keys.entrySet()) {
        store.put(key.getKey(), ObjectBody.of(key.getValue()));
      }
      copyAll(closure, copy);
      return published(bundle);
    }
  }

  /** The medium is read again, which takes as long as to write it. */
  private BundleReport published(BundleFile bundle) throws IOException {
    progress.begin("read again", 0);
    long[] read = {0};
    BundleReport report =
        bundle.publish(
            (moreBytes, totalBytes) -> {
              stopping.check();
              read[0] += moreBytes;
              progress.at(read[0], 0, totalBytes);
            });
    progress.end();
    return report;
  }

  /** One that misses something is no bundle: what is damaged is collected, and told. */
  private void copyAll(SnapshotClosure closure, ObjectCopy copy) throws IOException {
    long expectedBytes = closure.lengthBytes();
    progress.begin("bundle", expectedBytes);
    List<Finding> damage = new ArrayList<>();
    closure.forEach(
        item -> {
          copy.copy(item).ifPresent(damage::add);
          progress.at(copy.tally().sentBytes(), copy.tally().sent(), expectedBytes);
        });
    progress.end();
    if (!damage.isEmpty()) {
      throw new BackupException.Corrupt(
          damage.get(0).code(),
          "the repository is damaged, and no bundle was made: %s".formatted(damage),
          damage);
    }
  }

  private static List<String> entries(List<SnapshotList.Known> chosen) {
    List<String> lines = new ArrayList<>();
    for (SnapshotList.Known known : chosen) {
      SnapshotSummary is = known.summary();
      lines.add(
          "%s  %s  %s  %s"
              .formatted(
                  StoreAccess.entry(known.log().log(), is.sequence()),
                  is.time(),
                  is.outcome().name().toLowerCase(Locale.ROOT),
                  is.name()));
    }
    return lines;
  }

  /** The keys of all epochs of what is copied, for those who are to open it, too. */
  private Map<ObjectName, byte[]> keys(
      BundleRequest request, SnapshotClosure closure, List<Identity> by) throws IOException {
    Map<String, List<String>> epochs = new LinkedHashMap<>();
    Set<String> lineages = new LinkedHashSet<>();
    for (SnapshotClosure.Piece piece : closure.pieces()) {
      piece.snapshot().entry().keys().forEach(field -> add(epochs, field));
      piece.snapshot().summary().captures().stream()
          .map(CaptureHeader::span)
          .flatMap(s -> s.stream())
          .forEach(s -> lineages.add(s.start().lineage()));
    }
    for (StreamLog log : Streams.now(repository).all()) {
      if (log.about().map(a -> lineages.contains(a.lineage())).orElse(false)) {
        log.keys().forEach(field -> add(epochs, field));
      }
    }
    Map<ObjectName, byte[]> keys = new LinkedHashMap<>();
    for (Map.Entry<String, List<String>> epoch : epochs.entrySet()) {
      int number = repository.lastKey(epoch.getKey());
      for (byte[] sealed : Epochs.sealedFor(repository, epoch.getValue(), by, request.more())) {
        number++;
        keys.put(ObjectName.of("keys/%s-%d.age".formatted(epoch.getKey(), number)), sealed);
      }
    }
    return keys;
  }

  private static void add(Map<String, List<String>> epochs, String field) {
    String epoch = field.substring(0, Math.max(0, field.indexOf(' ')));
    List<String> fields = epochs.computeIfAbsent(epoch, e -> new ArrayList<>());
    if (!fields.contains(field)) {
      fields.add(field);
    }
  }
}
