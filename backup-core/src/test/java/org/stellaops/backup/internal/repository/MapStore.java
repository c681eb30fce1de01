package org.stellaops.backup.internal.repository;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreTraits;
import org.stellaops.backup.spi.StoredObject;

/** Objects in a map: as little of a store as a reader of names needs. */
final class MapStore implements ObjectStore {
  final Map<ObjectName, byte[]> objects = new TreeMap<>();

  /** Every name that was opened. */
  final List<String> opened = new ArrayList<>();

  /** Whether listings say which bytes an object has. */
  boolean hasVersions;

  /** Is done once, before the next object is opened. */
  Runnable meanwhile = () -> {};

  StoreAccess access() {
    return new StoreAccess(this);
  }

  void write(String name, byte[] bytes) {
    objects.put(ObjectName.of(name), bytes);
  }

  @Override
  public void put(ObjectName name, ObjectBody body) throws IOException {
    if (objects.containsKey(name)) {
      throw new BackupException.Sink(
          CoreFailure.OBJECT_EXISTS, Reason.ALREADY_EXISTS, name + " exists");
    }
    try (InputStream in = body.open()) {
      objects.put(name, in.readAllBytes());
    }
  }

  @Override
  public void delete(ObjectName name) {
    objects.remove(name);
  }

  @Override
  public InputStream open(ObjectName name, ByteRange range) throws IOException {
    Runnable now = meanwhile;
    meanwhile = () -> {};
    now.run();
    opened.add(name.value());
    byte[] bytes = objects.get(name);
    if (bytes == null) {
      throw new BackupException.Sink(
          CoreFailure.OBJECT_NOT_FOUND, Reason.NOT_FOUND, name + " is not there");
    }
    int from = (int) Math.min(range.offset(), bytes.length);
    return new ByteArrayInputStream(bytes, from, (int) range.endIn(bytes.length) - from);
  }

  @Override
  public ObjectPage list(String prefix, PageToken from) {
    List<StoredObject> found =
        objects.entrySet().stream()
            .filter(e -> e.getKey().value().startsWith(prefix))
            .map(e -> new StoredObject(e.getKey(), e.getValue().length, version(e.getValue())))
            .toList();
    return new ObjectPage(found, PageToken.END);
  }

  private String version(byte[] bytes) {
    return hasVersions ? Digest.ofContent(bytes).hex() : "";
  }

  @Override
  public StoreTraits traits() {
    return new StoreTraits(true, true, Long.MAX_VALUE, Map.of());
  }

  @Override
  public void close() {}
}
