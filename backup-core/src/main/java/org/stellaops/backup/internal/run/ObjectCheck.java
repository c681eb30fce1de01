package org.stellaops.backup.internal.run;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.PackLists;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.zstd.Decompressed;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.VerificationReport.Depth;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.StoredObject;

/**
 * Looks at every object that somebody needs once, however many need it, and remembers which are
 * damaged.
 *
 * <p>What it holds in memory is a {@link DigestSet} and two bits for each object. Lists are read
 * again instead: once to count, once to go through what they name, and once more to tell who needs
 * what is damaged. One thread.
 */
final class ObjectCheck implements Closeable {
  private final Context context;
  private final StoreAccess store;
  private final StopSignal stopping;
  private final ProgressMeter progress;
  private final Verification depth;
  private final DigestSet names;
  private final Map<ObjectRef, ListContent> lists = new LinkedHashMap<>();
  private final Set<ObjectName> listNames = new HashSet<>();
  private final Map<ObjectName, Finding> damaged = new LinkedHashMap<>();
  private BitSet there = new BitSet();
  private BitSet done = new BitSet();
  private long expectedBytes;
  private long objects;
  private long bytes;

  /** Everything stays the caller's. */
  ObjectCheck(
      Context context,
      StoreAccess store,
      StopSignal stopping,
      ProgressMeter progress,
      Verification depth) {
    this.context = context;
    this.store = store;
    this.stopping = stopping;
    this.progress = progress;
    this.depth = depth;
    this.names = new DigestSet(context.workspace().scratch());
  }

  /**
   * What somebody needs.
   *
   * @param objects by themselves
   * @param lists with what they name
   * @param epoch opens its packs, where they are to be opened
   */
  record Need(List<ObjectRef> objects, List<ObjectRef> lists, Optional<Identity> epoch) {}

  /** What is to be known of a list once it was gone through. */
  private static final class ListContent {
    long objects;
    long bytes;
    final List<Finding> damage = new ArrayList<>();
  }

  /**
   * What was looked at of a need.
   *
   * @param objects how many objects
   * @param bytes how many stored bytes were read
   * @param damage everything that is damaged or missing
   */
  record Looked(long objects, long bytes, List<Finding> damage) {}

  /** Gives files back. */
  @Override
  public void close() throws IOException {
    names.close();
  }

  /** Whether objects that are not read are looked for in a listing. */
  boolean needsListing() {
    return depth.depth() == Depth.STRUCTURE || depth.sample().isPresent();
  }

  /** Finds out what there is to look at; to be called once, before anything else. */
  void collect(Collection<Need> needs) throws IOException {
    for (Need need : needs) {
      for (ObjectRef object : need.objects()) {
        add(object);
      }
      for (ObjectRef list : need.lists()) {
        stopping.check();
        if (!lists.containsKey(list)) {
          lists.put(list, new ListContent());
          listNames.add(list.name());
          objects++;
          bytes += list.lengthBytes();
          note(list, () -> PackLists.read(store, list, this::add));
        }
      }
    }
    names.settle();
    there = new BitSet(names.capacity());
    done = new BitSet(names.capacity());
  }

  private void add(ObjectRef object) throws IOException {
    if (names.add(digestOf(object.name())) && isRead(object)) {
      expectedBytes += object.lengthBytes();
    }
  }

  /** By its name: two lists can give one content two sizes, of which one is wrong. */
  private static Digest digestOf(ObjectName name) {
    return Digest.ofContent(name.value().getBytes(StandardCharsets.UTF_8));
  }

  private boolean isRead(ObjectRef object) {
    return depth.depth() != Depth.STRUCTURE
        && depth.sample().map(part -> part.holds(object.name())).orElse(true);
  }

  /** Tells what a listing shows; whether somebody needs that. */
  boolean isListed(StoredObject object) throws IOException {
    int index = names.indexOf(digestOf(object.name()));
    if (index < 0) {
      return listNames.contains(object.name());
    }
    there.set(index);
    ObjectRef needed = ObjectRef.parse(object.name().value());
    if (!isRead(needed) && object.lengthBytes() != needed.lengthBytes()) {
      boolean isShort = object.lengthBytes() < needed.lengthBytes();
      damaged.put(
          object.name(),
          new Finding(
              isShort ? CoreFailure.TRUNCATED : CoreFailure.CORRUPT_OBJECT,
              object.name().value(),
              "%s has %d bytes, expected %d"
                  .formatted(object.name(), object.lengthBytes(), needed.lengthBytes())));
    }
    return true;
  }

  /** Looks at everything that was collected. */
  void look(Collection<Need> needs) throws IOException {
    progress.begin(phase(), expectedBytes);
    Readings readings = new Readings();
    try {
      for (Need need : needs) {
        for (ObjectRef object : need.objects()) {
          look(object, need.epoch(), readings);
        }
        for (ObjectRef list : need.lists()) {
          lookAt(list, need.epoch(), readings);
        }
      }
      readings.finish();
    } finally {
      readings.await();
    }
    progress.end();
    if (!damaged.isEmpty()) {
      blame();
    }
  }

  private String phase() {
    return "verify " + (depth.depth() == Depth.STRUCTURE ? "structure" : "stored");
  }

  private void lookAt(ObjectRef list, Optional<Identity> epoch, Readings readings)
      throws IOException {
    ListContent content = lists.get(list);
    if (content == null || content.objects > 0 || damaged.containsKey(list.name())) {
      return;
    }
    // First to its end: a store need not bear that a list stays open while its packs are read.
    List<ObjectRef> packs = new ArrayList<>();
    note(list, () -> PackLists.read(store, list, packs::add));
    content.objects = 1;
    content.bytes = list.lengthBytes();
    for (ObjectRef pack : packs) {
      boolean isLooked = isRead(pack);
      content.objects += isLooked || depth.depth() == Depth.STRUCTURE ? 1 : 0;
      content.bytes += isLooked ? pack.lengthBytes() : 0;
      look(pack, epoch, readings);
    }
  }

  private void look(ObjectRef object, Optional<Identity> epoch, Readings readings)
      throws IOException {
    stopping.check();
    int index = names.indexOf(digestOf(object.name()));
    if (index < 0 || done.get(index)) {
      return;
    }
    done.set(index);
    if (isRead(object)) {
      readings.add(object, epoch);
    } else if (!there.get(index)) {
      damaged.put(
          object.name(),
          new Finding(CoreFailure.OBJECT_NOT_FOUND, object.toString(), object + " is missing"));
    } else if (depth.depth() == Depth.STRUCTURE) {
      objects++;
      progress.add(0, 1);
    }
  }

  /** Finds out which lists name what is damaged. */
  private void blame() throws IOException {
    for (Map.Entry<ObjectRef, ListContent> list : lists.entrySet()) {
      if (!damaged.containsKey(list.getKey().name())) {
        List<Finding> damage = list.getValue().damage;
        note(
            list.getKey(),
            () ->
                PackLists.read(
                    store,
                    list.getKey(),
                    pack -> Optional.ofNullable(damaged.get(pack.name())).ifPresent(damage::add)));
      }
    }
  }

  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }

  private void note(ObjectRef object, Step step) throws IOException {
    try {
      step.run();
    } catch (BackupException.Corrupt e) {
      damaged.put(object.name(), new Finding(e.code(), object.toString(), e.detail()));
    }
  }

  /** Whether a list is one of those that somebody needs. */
  boolean collected(ObjectRef list) {
    return lists.containsKey(list);
  }

  /** What was looked at of one of the needs. */
  Looked of(Need need) {
    long itsObjects = 0;
    long itsBytes = 0;
    List<Finding> damage = new ArrayList<>();
    for (ObjectRef object : need.objects()) {
      boolean isSound = !damaged.containsKey(object.name());
      itsObjects += isSound && (isRead(object) || depth.depth() == Depth.STRUCTURE) ? 1 : 0;
      itsBytes += isSound && isRead(object) ? object.lengthBytes() : 0;
      Optional.ofNullable(damaged.get(object.name())).ifPresent(damage::add);
    }
    for (ObjectRef list : need.lists()) {
      ListContent content = lists.getOrDefault(list, new ListContent());
      itsObjects += Math.max(0, content.objects - content.damage.size());
      itsBytes += content.bytes;
      Optional.ofNullable(damaged.get(list.name())).ifPresent(damage::add);
      damage.addAll(content.damage);
    }
    return new Looked(itsObjects, itsBytes, damage.stream().distinct().toList());
  }

  /** How many objects were looked at. */
  long objects() {
    return objects;
  }

  /** How many stored bytes were read. */
  long bytes() {
    return bytes;
  }

  /** What is being read, in the order in which it was begun. */
  private final class Readings {
    private final ArrayDeque<Reading> reading = new ArrayDeque<>();

    void add(ObjectRef object, Optional<Identity> epoch) throws IOException {
      reading.add(new Reading(object, read(object, epoch)));
      while (reading.size() > context.parallelism()) {
        count(reading.remove());
      }
    }

    void finish() throws IOException {
      while (!reading.isEmpty()) {
        count(reading.remove());
      }
    }

    /** After a failure: nothing may read on once the caller thinks it is over. */
    void await() {
      reading.forEach(r -> r.bytes().handle((read, failure) -> read).join());
    }
  }

  private record Reading(ObjectRef object, CompletableFuture<Long> bytes) {}

  private CompletableFuture<Long> read(ObjectRef object, Optional<Identity> epoch) {
    Optional<Identity> opening =
        depth.depth() == Depth.FULL && depth.sample().isPresent() && object.isPack()
            ? epoch
            : Optional.empty();
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return opening.isPresent()
                ? decode(object, opening.get())
                : store.verify(object, stopping);
          } catch (IOException e) {
            throw new CompletionException(e);
          }
        },
        context.executor());
  }

  /** Every frame of a pack. */
  private long decode(ObjectRef pack, Identity epoch) throws IOException {
    try (InputStream plain =
        Decompressed.of(store.openCompared(pack, List.of(epoch)), pack.toString())) {
      byte[] buffer = new byte[128 << 10];
      while (plain.read(buffer) >= 0) {
        stopping.check();
      }
      return pack.lengthBytes();
    }
  }

  private void count(Reading reading) throws IOException {
    note(
        reading.object(),
        () -> {
          try {
            long read = reading.bytes().join();
            objects++;
            bytes += read;
            progress.add(read, 1);
          } catch (CompletionException e) {
            if (e.getCause() instanceof IOException io) {
              throw io;
            }
            throw e;
          }
        });
  }
}
