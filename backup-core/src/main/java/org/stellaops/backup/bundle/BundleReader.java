package org.stellaops.backup.bundle;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.stellaops.backup.internal.disk.MediumFailures;
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
    return new Translated(
        volumes.open(place.get().position() + from, to - from), what, volumes.files().get(0));
  }

  /** What the medium says while it is read, as failures of a store. */
  private static final class Translated extends InputStream {
    private final InputStream in;
    private final String what;
    private final Path file;

    Translated(InputStream in, String what, Path file) {
      this.in = in;
      this.what = what;
      this.file = file;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      try {
        return in.read(bytes, offset, length);
      } catch (FileNotFoundException e) {
        throw new BackupException.Sink(
            CoreFailure.MEDIUM_GONE, Reason.REFUSED, "read " + what + ": " + e.getMessage(), e);
      } catch (IOException e) {
        throw MediumFailures.translate("read " + what, VolumeNames.of(file).directory(), e);
      }
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
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
