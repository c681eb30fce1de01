package org.stellaops.backup.internal.repository;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.StoreTraits;
import org.stellaops.backup.spi.StoredObject;

/** The files that are the same in every store of a repository, as this version writes them. */
final class FixedFiles implements ReadableStore {
  private final Map<ObjectName, byte[]> files;

  FixedFiles(Map<ObjectName, byte[]> files) {
    this.files = new TreeMap<>(files);
  }

  @Override
  public InputStream open(ObjectName name, ByteRange range) throws BackupException.Sink {
    byte[] file = files.get(name);
    if (file == null) {
      throw new BackupException.Sink(
          CoreFailure.OBJECT_NOT_FOUND, Reason.NOT_FOUND, name + " is no fixed file");
    }
    int from = (int) Math.min(range.offset(), file.length);
    return new ByteArrayInputStream(
        Arrays.copyOfRange(file, from, Math.max(from, (int) range.endIn(file.length))));
  }

  @Override
  public ObjectPage list(String prefix, PageToken from) {
    List<StoredObject> there =
        files.entrySet().stream()
            .filter(f -> f.getKey().value().startsWith(prefix))
            .map(f -> new StoredObject(f.getKey(), f.getValue().length, ""))
            .toList();
    return new ObjectPage(there, PageToken.END);
  }

  @Override
  public StoreTraits traits() {
    return new StoreTraits(true, false, Long.MAX_VALUE, Map.of());
  }

  @Override
  public void close() {}
}
