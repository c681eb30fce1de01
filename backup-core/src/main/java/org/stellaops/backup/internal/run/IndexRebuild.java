package org.stellaops.backup.internal.run;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.stellaops.backup.internal.pipeline.PackIndex;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.Epoch;
import org.stellaops.backup.internal.repository.Epochs;
import org.stellaops.backup.internal.repository.IndexEntry;
import org.stellaops.backup.internal.repository.IndexPart;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.PackLists;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RunEntry;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.repository.StateRef;
import org.stellaops.backup.internal.zstd.Decompressed;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.IndexReport;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.WriterKeys;

/**
 * Makes a writer's chunk index again from the indexes in its packs, as far as no sound part of the
 * stored one describes them. Only packs that a signed entry names count: whoever can write to the
 * store could plant others, and age authenticates no sender.
 *
 * <p>What was read is stored as parts of the index and named by an entry in the writer's log, again
 * and again: so whatever stops it, the next one goes on there, and a backup that commits meanwhile
 * keeps it. One pack is in memory at a time, and of the names of all what a {@link DigestSet} keeps
 * there. One thread.
 */
public final class IndexRebuild {
  /** Packs of one part at least, and a share of those before: some dozens of parts at most. */
  private static final int FEWEST_PACKS = 16;

  private static final int SHARE = 4;

  private final Context context;
  private final BackupPlan plan;
  private final Repository repository;
  private final WriterKeys keys;
  private final StopSignal stopping;
  private final Set<Finding> findings = new LinkedHashSet<>();

  /** Everything stays the caller's. */
  public IndexRebuild(
      Context context,
      BackupPlan plan,
      Repository repository,
      WriterKeys keys,
      StopSignal stopping) {
    this.context = context;
    this.plan = plan;
    this.repository = repository;
    this.keys = keys;
    this.stopping = stopping;
  }

  /** Finds out what there is to read. Reads no pack, and changes nothing. */
  public IndexReport plan() throws IOException {
    Optional<Survey> found = survey();
    if (found.isEmpty()) {
      return nothing();
    }
    try (Survey survey = found.get()) {
      return survey.report(0, 0);
    }
  }

  /**
   * Reads what no part of the index describes.
   *
   * @param by opens the epoch that the plan encrypts to
   */
  public IndexReport execute(Identity by, RunId id) throws IOException {
    Optional<Survey> found = survey();
    if (found.isEmpty()) {
      return nothing();
    }
    try (Survey survey = found.get();
        Identity epoch = Epochs.open(survey.epoch.keyFields(), List.of(by));
        Reading reading = new Reading(survey, epoch, progress(id))) {
      reading.run();
      return survey.report(reading.packs, reading.chunks);
    }
  }

  private ProgressMeter progress(RunId id) {
    return new ProgressMeter(id, context.clock(), context.listeners());
  }

  private IndexReport nothing() {
    return new IndexReport("", 0, 0, 0, 0, 0, List.of());
  }

  private Optional<Survey> survey() throws IOException {
    Epochs epochs = new Epochs(repository, keys, context.random());
    Optional<Epoch> epoch =
        plan.takesOnlyEpochsMadeElsewhere()
            ? Optional.of(epochs.madeElsewhere(plan.recipients()))
            : epochs.existing(plan.recipients());
    if (epoch.isEmpty()) {
      return Optional.empty();
    }
    Survey survey = new Survey(epoch.get(), repository.log(keys.id().name()));
    boolean isDone = false;
    try {
      survey.readState();
      survey.known.settle();
      survey.forEachPack(survey::count);
      survey.unknown.settle();
      isDone = true;
      return Optional.of(survey);
    } finally {
      if (!isDone) {
        survey.close();
      }
    }
  }

  /** Takes a pack that a signed entry names. */
  @FunctionalInterface
  private interface Packs {
    void take(ObjectRef pack) throws IOException;
  }

  /** What the log, the stored index and a listing of the packs say. */
  private final class Survey implements Closeable {
    private final Epoch epoch;
    private final LogView log;
    private final DigestSet doomed;
    private final DigestSet damaged;
    private final DigestSet there;
    private final DigestSet known = new DigestSet(repository.scratch());
    private final DigestSet unknown = new DigestSet(repository.scratch());
    private final Set<StateRef> lost = new LinkedHashSet<>();
    private long unknownBytes;

    Survey(Epoch epoch, LogView log) throws IOException {
      this.epoch = epoch;
      this.log = log;
      this.doomed = repository.retention().doomed(log.log());
      this.damaged = DamageWord.told(log);
      this.there = repository.store().packsOf(log.log(), repository.scratch());
    }

    IndexReport report(long readPacks, long chunks) {
      return new IndexReport(
          epoch.id(),
          known.size(),
          unknown.size(),
          unknownBytes,
          readPacks,
          chunks,
          List.copyOf(findings));
    }

    @Override
    public void close() throws IOException {
      try (there;
          known) {
        unknown.close();
      }
    }

    private boolean isUsable(ObjectRef pack) throws IOException {
      return there.contains(pack.stored())
          && !doomed.contains(pack.stored())
          && !damaged.contains(pack.stored());
    }

    /** Reads every part of the state, and tells which packs its index describes. */
    void readState() throws IOException {
      for (StateRef ref : SnapshotCommit.newestState(log, epoch)) {
        stopping.check();
        try {
          if (doomed.contains(ref.object().stored())) {
            lost.add(ref);
          } else {
            read(ref);
          }
        } catch (BackupException.Corrupt | BackupException.Crypto e) {
          lost.add(ref);
          find(ref.object(), e);
        }
      }
    }

    /** A part that ends too early describes nothing: what it says is taken when it was read. */
    private void read(StateRef ref) throws IOException {
      repository.store().verify(ref.object(), stopping);
      try (DigestSet described = new DigestSet(repository.scratch());
          InputStream in = open(ref)) {
        if (ref instanceof StateRef.Index) {
          IndexPart.read(in, log.log(), ref.object().toString(), describing(described));
        } else {
          in.transferTo(OutputStream.nullOutputStream());
        }
        known.putAll(described);
      }
    }

    private InputStream open(StateRef ref) throws IOException {
      InputStream sealed =
          repository.store().openSealed(ref.object(), List.of(keys.stateIdentity()));
      return Decompressed.of(sealed, ref.object().toString());
    }

    private IndexPart.Visitor describing(DigestSet described) {
      return new IndexPart.Visitor() {
        @Override
        public void pack(ObjectRef pack, int chunks) throws IOException {
          stopping.check();
          if (isUsable(pack)) {
            described.put(pack.stored());
          }
        }

        @Override
        public void chunk(byte[] id, int offset, int storedBytes, int plainBytes) {}
      };
    }

    void count(ObjectRef pack) throws IOException {
      if (!known.contains(pack.stored()) && isUsable(pack) && unknown.add(pack.stored())) {
        unknownBytes += pack.lengthBytes();
      }
    }

    /** Every pack that the log names in this epoch, some more than once, oldest first. */
    void forEachPack(Packs packs) throws IOException {
      DigestSet read = new DigestSet();
      for (LogView.Standing standing : log.entries()) {
        for (ObjectRef list : lists(standing.entry())) {
          stopping.check();
          if (!doomed.contains(list.stored()) && read.add(list.stored())) {
            readList(list, packs);
          }
        }
      }
    }

    private List<ObjectRef> lists(Entry entry) throws BackupException {
      List<ObjectRef> lists = new ArrayList<>();
      if (SnapshotEntry.isSnapshot(entry) && SnapshotEntry.of(entry).isOf(epoch)) {
        SnapshotEntry.of(entry).parts().forEach(p -> lists.addAll(p.lists()));
      } else if (RunEntry.isProgressOf(entry, epoch)) {
        for (Entry.Line line : entry.lines()) {
          ObjectRef object = ObjectRef.parse(line.path());
          if (object.isList()) {
            lists.add(object);
          }
        }
      }
      return lists;
    }

    private void readList(ObjectRef list, Packs packs) throws IOException {
      List<ObjectRef> named = new ArrayList<>();
      try {
        PackLists.read(repository.store(), list, named::add);
      } catch (BackupException.Corrupt e) {
        find(list, e);
        return;
      }
      for (ObjectRef pack : named) {
        packs.take(pack);
      }
    }
  }

  private void find(ObjectRef object, BackupException e) {
    findings.add(new Finding(e.code(), object.toString(), e.detail()));
  }

  /** Reads packs into parts of the index. */
  private final class Reading implements Closeable {
    private final Survey survey;
    private final Identity epoch;
    private final ProgressMeter progress;
    private final BitSet taken = new BitSet();
    private final List<StateRef> parts = new ArrayList<>();
    private Part part;
    private long packs;
    private long chunks;
    private long bytes;
    private long tried;

    Reading(Survey survey, Identity epoch, ProgressMeter progress) throws IOException {
      this.survey = survey;
      this.epoch = epoch;
      this.progress = progress;
      this.part = new Part(survey.epoch);
    }

    void run() throws IOException {
      progress.begin("rebuild index", survey.unknownBytes);
      survey.forEachPack(this::take);
      if (part.packs > 0 || !survey.lost.isEmpty()) {
        tell();
      }
      progress.end();
    }

    private void take(ObjectRef pack) throws IOException {
      int number = survey.unknown.indexOf(pack.stored());
      if (number < 0 || taken.get(number)) {
        return;
      }
      taken.set(number);
      stopping.check();
      try {
        add(pack);
      } catch (BackupException.Corrupt | BackupException.Crypto e) {
        find(pack, e);
      }
      bytes += pack.lengthBytes();
      progress.at(bytes, ++tried, survey.unknownBytes);
      if (part.packs >= Math.max(FEWEST_PACKS, packs / SHARE)) {
        tell();
        part = new Part(survey.epoch);
      }
    }

    private void add(ObjectRef pack) throws IOException {
      PackIndex index;
      try (InputStream in = repository.store().openCompared(pack, List.of(epoch))) {
        // It was not too large to be compared, and its plain bytes are fewer than the stored.
        byte[] plain = new byte[(int) pack.lengthBytes()];
        index = PackIndex.of(plain, in.readNBytes(plain, 0, plain.length), pack.toString());
      }
      part.add(pack, index);
      packs++;
      chunks += index.count();
    }

    /** Stores what was read, and says so in the log; state that is lost is named no more. */
    private void tell() throws IOException {
      if (part.packs > 0) {
        parts.add(new StateRef.Index(part.store()));
      }
      part.close();
      repository.commit(
          keys.id().name(),
          keys,
          context.random(),
          now -> Optional.of(IndexEntry.draft(survey.epoch, joined(now))));
    }

    /** Whatever other engines of the writer named meanwhile stays. */
    private List<StateRef> joined(LogView now) throws BackupException {
      Set<StateRef> joined = new LinkedHashSet<>();
      for (StateRef ref : SnapshotCommit.newestState(now, survey.epoch)) {
        if (!survey.lost.contains(ref)) {
          joined.add(ref);
        }
      }
      joined.addAll(parts);
      return List.copyOf(joined);
    }

    @Override
    public void close() throws IOException {
      part.close();
    }
  }

  /** A part of the index that is being written. */
  private final class Part implements Closeable {
    private final SealedSpool spool;
    private final IndexPart.Writer writer;
    private long packs;

    Part(Epoch epoch) throws IOException {
      List<Recipient> to = epoch.with(keys.stateRecipient());
      spool = new SealedSpool(context.workspace(), to);
      boolean isReady = false;
      try {
        writer = new IndexPart.Writer(spool.plain());
        isReady = true;
      } finally {
        if (!isReady) {
          spool.close();
        }
      }
    }

    void add(ObjectRef pack, PackIndex index) throws IOException {
      writer.pack(pack, index.count());
      index.forEach((id, stored, plain) -> writer.chunk(id, 0, stored, plain));
      packs++;
    }

    ObjectRef store() throws IOException {
      writer.flush();
      return repository.store().putState(keys.id().name(), spool.finish());
    }

    @Override
    public void close() throws IOException {
      spool.close();
    }
  }
}
