package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.stellaops.backup.internal.disk.ScratchFolder;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.ObjectBody;

/**
 * What retention let go of, by writer, collected from lists each of which is read once: where the
 * log said more meanwhile, only what is new is read. Of some writers it is remembered, and of none
 * more than a few MiB are in memory. From any thread.
 */
final class DoomLists {
  /** Of each writer; what was let go of more is in files. */
  private static final int MOST_IN_MEMORY = 1 << 16;

  /** Whoever asks of many writers goes through one after the other. */
  private static final int MOST_WRITERS = 8;

  private final StoreAccess store;
  private final ScratchFolder folder;
  private final int mostInMemory;
  private final Map<String, Collected> doomed = remembered();
  private final Map<String, Collected> swept = remembered();

  /**
   * Nothing was read yet.
   *
   * @param folder takes what does not fit memory
   */
  DoomLists(StoreAccess store, ScratchFolder folder) {
    this(store, folder, MOST_IN_MEMORY);
  }

  /** The same, with less memory than would be sensible. */
  DoomLists(StoreAccess store, ScratchFolder folder, int mostInMemory) {
    this.store = store;
    this.folder = folder;
    this.mostInMemory = mostInMemory;
  }

  /** Keeps something of the writers that were asked for last. */
  static <T> Map<String, T> remembered() {
    return new LinkedHashMap<>(16, 0.75f, true) {
      private static final long serialVersionUID = 1;

      @Override
      protected boolean removeEldestEntry(Map.Entry<String, T> eldest) {
        return size() > MOST_WRITERS;
      }
    };
  }

  /**
   * What was collected of one writer.
   *
   * @param lists that name it
   * @param digests never added to any more
   */
  private record Collected(Set<ObjectRef> lists, DigestSet digests) {
    Collected copy() {
      return new Collected(new HashSet<>(lists), digests.copy());
    }
  }

  /**
   * What these dooms of a writer name.
   *
   * @param isSwept which of them were swept, so that what they name is collected by itself, too
   */
  synchronized DigestSet doomed(
      String writer, Collection<RetentionEntry.Doom> dooms, Predicate<RetentionEntry.Doom> isSwept)
      throws IOException {
    Set<ObjectRef> wanted = lists(dooms);
    Set<ObjectRef> gone = lists(dooms.stream().filter(isSwept).toList());
    Collected known = known(doomed, writer, wanted);
    if (known.lists().isEmpty()) {
      // All that was swept was doomed.
      known = known(swept, writer, gone);
    }
    if (known.lists().equals(wanted)) {
      doomed.put(writer, known);
      return known.digests();
    }
    Collected all = known.copy();
    Collected some = known(swept, writer, gone).copy();
    for (RetentionEntry.Doom doom : dooms) {
      if (all.lists().add(doom.list())) {
        boolean isBoth = gone.contains(doom.list()) && some.lists().add(doom.list());
        forEach(
            doom,
            object -> {
              all.digests().put(object.stored());
              if (isBoth) {
                some.digests().put(object.stored());
              }
            });
      }
    }
    doomed.put(writer, all);
    if (!some.lists().isEmpty()) {
      swept.put(writer, some);
    }
    return all.digests();
  }

  /** What these dooms of a writer name, all of which were swept. */
  synchronized DigestSet swept(String writer, Collection<RetentionEntry.Doom> dooms)
      throws IOException {
    Set<ObjectRef> wanted = lists(dooms);
    Collected known = known(swept, writer, wanted);
    if (known.lists().equals(wanted)) {
      return known.digests();
    }
    Collected all = known.copy();
    for (RetentionEntry.Doom doom : dooms) {
      if (all.lists().add(doom.list())) {
        forEach(doom, object -> all.digests().put(object.stored()));
      }
    }
    swept.put(writer, all);
    return all.digests();
  }

  private static Set<ObjectRef> lists(Collection<RetentionEntry.Doom> dooms) {
    return dooms.stream().map(RetentionEntry.Doom::list).collect(Collectors.toSet());
  }

  /** Nothing if something of it was recalled since. */
  private Collected known(Map<String, Collected> collected, String writer, Set<ObjectRef> lists) {
    Collected known = collected.get(writer);
    return known != null && lists.containsAll(known.lists())
        ? known
        : new Collected(Set.of(), new DigestSet(folder, mostInMemory));
  }

  /** What a doom names. */
  void forEach(RetentionEntry.Doom doom, PackLists.Named objects) throws IOException {
    String prefix = Names.writerPrefix(doom.writer());
    PackLists.readAny(
        store,
        doom.list(),
        object -> {
          if (!object.name().value().startsWith(prefix)) {
            throw new BackupException.Corrupt(
                CoreFailure.MALFORMED,
                "%s names %s, which is not of %s".formatted(doom.list(), object, doom.writer()));
          }
          objects.accept(object);
        });
  }

  /** Stores a list of these objects. */
  static ObjectRef write(StoreAccess store, Iterable<ObjectRef> objects) throws IOException {
    StringBuilder text = new StringBuilder();
    for (ObjectRef object : objects) {
      text.append(object.stored().hex()).append("  ").append(object.name().value()).append('\n');
    }
    ObjectBody body = ObjectBody.of(text.toString().getBytes(StandardCharsets.US_ASCII));
    ObjectRef list = Names.doomed(body.digest(), body.lengthBytes());
    store.putContent(list, body);
    return list;
  }
}
