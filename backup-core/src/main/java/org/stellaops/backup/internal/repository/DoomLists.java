package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.ObjectBody;

/** Lists of doomed objects, each read once. From any thread. */
final class DoomLists {
  private final StoreAccess store;
  private final Map<ObjectRef, DigestSet> read = new ConcurrentHashMap<>();

  DoomLists(StoreAccess store) {
    this.store = store;
  }

  /** The digests of what a doom names. */
  DigestSet of(RetentionEntry.Doom doom) throws IOException {
    DigestSet known = read.get(doom.list());
    if (known == null) {
      DigestSet digests = new DigestSet();
      forEach(doom, object -> digests.add(object.stored()));
      read.put(doom.list(), digests);
      return digests;
    }
    return known;
  }

  /** What a doom names. */
  void forEach(RetentionEntry.Doom doom, Consumer<ObjectRef> objects) throws IOException {
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
