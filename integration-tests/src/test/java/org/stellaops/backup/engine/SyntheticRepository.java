package org.stellaops.backup.engine;

import com.github.luben.zstd.ZstdOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.internal.pipeline.ChunkId;
import org.stellaops.backup.internal.pipeline.ChunkPlace;
import org.stellaops.backup.internal.repository.ChunkIndex;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.Epoch;
import org.stellaops.backup.internal.repository.Epochs;
import org.stellaops.backup.internal.repository.HeadMemory;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.PackLists;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.repository.StateRef;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotName;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.WriterKeys;
import org.stellaops.backup.store.ForwardingStore;

/**
 * A repository as many writers would leave it after years: entries, lists and state are real, and
 * signed and sealed as they always are; packs are empty, as nothing here opens one. Of its packs
 * each snapshot needs all but one part in 25, and one in a hundred that the snapshot before it did
 * not need.
 */
final class SyntheticRepository {
  /** When the first snapshot was taken. */
  static final Instant BEGAN = Instant.parse("2024-01-01T00:00:00Z");

  private static final int CHUNK_BYTES = 64 << 10;
  private static final Duration BETWEEN = Duration.ofHours(12);

  final Path directory;
  final Scale scale;

  private Instant now = BEGAN;

  private SyntheticRepository(Path directory, Scale scale) {
    this.directory = directory;
    this.scale = scale;
  }

  /**
   * How large it is.
   *
   * @param snapshots of each writer
   * @param packs of each writer
   * @param chunksOfAPack in each pack
   */
  record Scale(int writers, int snapshots, int packs, int chunksOfAPack) {
    /** One 1/n the size of 10 writers with 10,000 snapshots, 10 million chunks in 625,000 packs. */
    static Scale dividedBy(int n) {
      return new Scale(10, 1000 / n, 62_500 / n, 16);
    }

    Scale withSnapshots(int each) {
      return new Scale(writers, each, packs, chunksOfAPack);
    }

    /** How many packs a snapshot needs. */
    int needed() {
      return packs * 24 / 25;
    }

    private int step() {
      return Math.max(1, needed() / 100);
    }

    private int windows() {
      return packs / step();
    }
  }

  /** Makes one. */
  static SyntheticRepository create(Path directory, Scale scale) throws IOException {
    SyntheticRepository made = new SyntheticRepository(directory, scale);
    Files.createDirectories(directory);
    made.keys("janitor").open().close();
    for (int i = 0; i < scale.writers(); i++) {
      made.keys(i).open().close();
    }
    try (AgeIdentity owner = AgeIdentity.generate();
        ObjectStore store = new Unsynced(made.objects(), made.store())) {
      StoreAccess access = new StoreAccess(store);
      Repository repository =
          Repository.create(
              access, made.trust(), new Forgetful(), () -> made.now, new Random(20261120));
      repository.markSink();
      Epoch epoch;
      try (WriterKeys keys = made.keys(0).open()) {
        epoch = new Epochs(repository, keys, new Random(0)).current(List.of(owner.recipient()));
      }
      for (int i = 0; i < scale.writers(); i++) {
        try (WriterKeys keys = made.keys(i).open()) {
          keys.bindTo(repository.id());
          made.new OfWriter(keys, repository).write(epoch);
        }
      }
    }
    return made;
  }

  /** One that was made before. */
  static SyntheticRepository at(Path directory, Scale scale) {
    return new SyntheticRepository(directory, scale);
  }

  private Path objects() {
    return directory.resolve("repository");
  }

  BackupSink sink() {
    return DirectorySink.at(objects());
  }

  private ObjectStore store() throws IOException {
    return sink().open(new StoreContext(() -> BEGAN, Stopping.never()));
  }

  WriterKeyFile keys(int writer) {
    return keys("host-" + writer);
  }

  WriterKeyFile keys(String name) {
    return WriterKeyFile.at(directory.resolve(name + ".key")).named(name);
  }

  /** Every writer for its own log, and one who deletes. */
  Trust trust() throws IOException {
    Path file = directory.resolve("allowed_signers");
    if (!Files.exists(file)) {
      Files.writeString(file, pinned().toAllowedSigners());
    }
    return Trust.allowedSigners(Files.readString(file));
  }

  private Trust pinned() throws IOException {
    List<Trust.Signer> signers = new ArrayList<>();
    for (int i = 0; i < scale.writers(); i++) {
      String name = keys(i).id().name();
      signers.add(new Trust.Signer(List.of(name, name + ".*", "admin"), keys(i).id().publicKey()));
    }
    signers.add(new Trust.Signer(List.of("retention"), keys("janitor").id().publicKey()));
    return new Trust(signers);
  }

  /** Everything of one writer. */
  private final class OfWriter {
    private final WriterKeys keys;
    private final Repository repository;
    private final StoreAccess store;
    private final Random random;
    private final List<ObjectRef> packs = new ArrayList<>();
    private final Map<Integer, List<ObjectRef>> lists = new HashMap<>();

    OfWriter(WriterKeys keys, Repository repository) {
      this.keys = keys;
      this.repository = repository;
      this.store = repository.store();
      this.random = new Random(keys.id().name().hashCode());
    }

    void write(Epoch epoch) throws IOException {
      StateRef state = new StateRef.Index(index(epoch));
      Optional<Head> head = Optional.empty();
      for (int i = 0; i < scale.snapshots(); i++) {
        now = BEGAN.plus(BETWEEN.multipliedBy(i));
        Entry entry =
            repository
                .append(
                    new Repository.Behind(keys.id().name(), head, Optional.empty()),
                    snapshot(i, epoch, state).draft(epoch),
                    keys,
                    random)
                .orElseThrow();
        head = Optional.of(new Head(entry.sequence(), entry.digest()));
      }
    }

    /** Makes the packs, and the writer's index of them. */
    private ObjectRef index(Epoch epoch) throws IOException {
      ChunkIndex index = new ChunkIndex(keys.id().name());
      byte[] id = new byte[ChunkId.BYTES];
      for (int pack = 0; pack < scale.packs(); pack++) {
        int ordinal = index.addPack();
        Digest digest =
            Digest.ofContent((keys.id().name() + "/" + pack).getBytes(StandardCharsets.US_ASCII));
        ObjectRef ref =
            ObjectRef.parse(
                "w/%s/packs/%s/%s-0.age"
                    .formatted(keys.id().name(), digest.hex().substring(0, 2), digest));
        Path file = objects().resolve(ref.name().value());
        Files.createDirectories(file.getParent());
        Files.createFile(file);
        index.namePack(ordinal, ref);
        packs.add(ref);
        for (int chunk = 0; chunk < scale.chunksOfAPack(); chunk++) {
          random.nextBytes(id);
          index.add(
              ChunkId.of(id.clone()),
              new ChunkPlace(ordinal, chunk * CHUNK_BYTES, CHUNK_BYTES, CHUNK_BYTES));
        }
      }
      return store.putState(keys.id().name(), sealed(epoch, out -> index.write(0, out)));
    }

    private ObjectBody sealed(Epoch epoch, Content content) throws IOException {
      ByteArrayOutputStream stored = new ByteArrayOutputStream();
      List<Recipient> to = epoch.with(keys.stateRecipient());
      try (var sealing = to.get(0).format().seal(stored, to)) {
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        try (ZstdOutputStream zstd = new ZstdOutputStream(plain, 1)) {
          content.writeTo(zstd);
        }
        plain.writeTo(sealing);
        sealing.finish();
      }
      return ObjectBody.of(stored.toByteArray());
    }

    private SnapshotEntry snapshot(int number, Epoch epoch, StateRef state) throws IOException {
      SnapshotId id = new SnapshotId("%s-%06d".formatted(keys.id().name(), number));
      ObjectRef manifest =
          store.putManifest(
              keys.id().name(), ObjectBody.of(id.value().getBytes(StandardCharsets.US_ASCII)));
      long bytes = (long) scale.needed() * scale.chunksOfAPack() * CHUNK_BYTES;
      CaptureHeader header =
          new CaptureHeader(
              id,
              SourceName.of("files"),
              Component.of("evidence"),
              SourceKind.of("bytes/1"),
              now,
              number + 1L,
              Outcome.GOOD,
              List.of(),
              Optional.empty(),
              bytes,
              bytes,
              bytes / 100);
      return new SnapshotEntry(
          id,
          SnapshotName.of("snapshot-%06d".formatted(number)),
          "synthetic",
          now,
          Outcome.GOOD,
          new TreeMap<>(Map.of(Component.of("evidence"), 1)),
          SnapshotEntry.keysOf(epoch),
          manifest,
          List.of(state),
          List.of(new SnapshotEntry.Part(header, lists(number % scale.windows()))));
    }

    /** All packs but those of a gap that moves on. */
    private List<ObjectRef> lists(int window) throws IOException {
      List<ObjectRef> known = lists.get(window);
      if (known == null) {
        int first = window * scale.step();
        List<ObjectRef> needed = new ArrayList<>();
        for (int pack = 0; pack < packs.size(); pack++) {
          int behind = Math.floorMod(pack - first, packs.size());
          if (behind < scale.needed()) {
            needed.add(packs.get(pack));
          }
        }
        known = new PackLists(store, keys.id().name()).write(needed);
        lists.put(window, known);
      }
      return known;
    }
  }

  @FunctionalInterface
  private interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /** Remembers nothing, so that the entries of one writer say nothing of those of others. */
  private static final class Forgetful implements HeadMemory {
    @Override
    public Optional<Head> recall(String repository, String log) {
      return Optional.empty();
    }

    @Override
    public Set<String> logs(String repository) {
      return Set.of();
    }

    @Override
    public void remember(String repository, String log, Head head) {}
  }

  /** Writes files as they come: what is made here can be made again. */
  private static final class Unsynced extends ForwardingStore {
    private final Path root;

    Unsynced(Path root, ObjectStore inner) {
      super(inner);
      this.root = root;
    }

    @Override
    public void put(ObjectName name, ObjectBody body) throws IOException {
      if (!name.value().startsWith("w/") && !name.value().startsWith("log/")) {
        super.put(name, body);
        return;
      }
      Path file = root.resolve(name.value());
      if (!Files.isDirectory(file.getParent())) {
        Files.createDirectories(file.getParent());
      }
      try (InputStream in = body.open()) {
        Files.copy(in, file);
      } catch (FileAlreadyExistsException e) {
        if (!name.value().startsWith("w/")) {
          throw new IOException("written twice: " + name, e);
        }
      }
    }
  }
}
