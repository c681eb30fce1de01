package org.stellaops.backup.engine;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.KeptVersion;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.store.ForwardingStore;
import org.stellaops.backup.testkit.MemorySink;

/** A place in memory that keeps what somebody deletes or replaces past us. */
final class VersionedPlace {
  static final Instant STORED = Instant.parse("2026-11-20T02:00:00Z");
  static final Instant HIDDEN = Instant.parse("2026-11-21T03:00:00Z");

  private final MemorySink sink;
  private final Map<ObjectName, List<byte[]>> kept = new TreeMap<>();

  VersionedPlace(MemorySink sink) {
    this.sink = sink;
  }

  BackupSink sink() {
    return sink.with(Store::new);
  }

  /** Somebody deletes. */
  void delete(ObjectName name) throws IOException {
    keep(name);
    sink.raw().remove(name);
  }

  /** Somebody replaces. */
  void replace(ObjectName name, byte[] bytes) throws IOException {
    keep(name);
    sink.raw().write(name, bytes);
  }

  private void keep(ObjectName name) throws IOException {
    kept.computeIfAbsent(name, n -> new ArrayList<>()).add(0, sink.raw().read(name));
  }

  private final class Store extends ForwardingStore implements StoreAbility.History {
    Store(ObjectStore inner) {
      super(inner);
    }

    @Override
    public void kept(String prefix, Each each) throws IOException {
      for (Map.Entry<ObjectName, List<byte[]>> object : kept.entrySet()) {
        ObjectName name = object.getKey();
        boolean isReplaced = sink.raw().names().contains(name);
        List<byte[]> versions = object.getValue();
        for (int i = 0; i < versions.size() && name.value().startsWith(prefix); i++) {
          each.take(
              new KeptVersion(
                  name,
                  String.valueOf(versions.size() - i),
                  versions.get(i).length,
                  STORED,
                  Optional.of(HIDDEN),
                  isReplaced));
        }
      }
    }

    @Override
    public InputStream open(KeptVersion version, ByteRange range) {
      byte[] all = bytes(version);
      int from = (int) Math.min(all.length, range.offset());
      int length = (int) Math.min(all.length - from, range.lengthBytes());
      return new ByteArrayInputStream(all, from, length);
    }

    @Override
    public void bringBack(KeptVersion version) throws IOException {
      byte[] bytes = bytes(version);
      if (sink.raw().names().contains(version.name())) {
        keep(version.name());
      }
      sink.raw().write(version.name(), bytes);
    }

    private byte[] bytes(KeptVersion version) {
      List<byte[]> versions = kept.getOrDefault(version.name(), List.of());
      return versions.get(versions.size() - Integer.parseInt(version.id()));
    }

    @Override
    public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
      return Stream.of(this).filter(type::isInstance).<A>map(type::cast).findFirst();
    }
  }
}
