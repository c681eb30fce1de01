package org.stellaops.backup.bundle;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.StoreTraits;

/** The members of a bundle as objects: a member is a range of the volumes. */
final class BundleReader implements ReadableStore {
  private final String what;
  private final Volumes volumes;
  private final BundleIndex index;

  BundleReader(String what, Volumes volumes, BundleIndex index) {
    this.what = what;
    this.volumes = volumes;
    this.index = index;
  }

  @Override
  public InputStream open(ObjectName name, ByteRange range) throws IOException {
    return open(what, volumes, index, name, range);
  }

  static InputStream open(
      String what, Volumes volumes, BundleIndex index, ObjectName name, ByteRange range)
      throws IOException {
    Optional<BundleIndex.Place> place = index.find(name);
    if (place.isEmpty()) {
      throw new BackupException.Sink(
          CoreFailure.OBJECT_NOT_FOUND, Reason.NOT_FOUND, "%s holds no %s".formatted(what, name));
    }
    long from = Math.min(range.offset(), place.get().sizeBytes());
    long to = range.endIn(place.get().sizeBytes());
    return new FromMedium(
        volumes.open(place.get().position() + from, to - from),
        what,
        VolumeNames.of(volumes.files().get(0)).directory());
  }

  @Override
  public ObjectPage list(String prefix, PageToken from) {
    return index.list(prefix, from);
  }

  @Override
  public StoreTraits traits() {
    return new StoreTraits(false, true, Long.MAX_VALUE, Map.of());
  }

  @Override
  public void close() {}
}
