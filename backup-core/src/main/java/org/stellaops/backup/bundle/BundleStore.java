package org.stellaops.backup.bundle;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListSet;
import org.stellaops.backup.bundle.BundleIndex.Place;
import org.stellaops.backup.internal.disk.FileAttributes;
import org.stellaops.backup.internal.disk.MediumFailures;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.internal.tar.TarWriter;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreTraits;
import org.stellaops.backup.spi.StoredObject;

/**
 * A bundle that is being written, as a store: what is put becomes the next member of the archive,
 * and a put that fails is taken back. Nothing can be removed but signs of life, which are never
 * written. Closing it finishes nothing.
 */
final class BundleStore implements ObjectStore {
  private static final String SIGNS_OF_LIFE = "beat/";
  private static final int BUFFER_BYTES = 1 << 16;

  private final VolumeNames names;
  private final VolumeWriter out;
  private final long volumeBytes;
  private final InstantSource clock;
  private final BundleIndex index = new BundleIndex();
  private final BundleSums sums = new BundleSums();
  private final Set<ObjectName> signsOfLife = new ConcurrentSkipListSet<>();
  private boolean isSpoilt;
  private boolean isSealed;

  BundleStore(VolumeNames names, VolumeWriter out, long volumeBytes, InstantSource clock) {
    this.names = names;
    this.out = out;
    this.volumeBytes = volumeBytes;
    this.clock = clock;
  }

  @Override
  public void put(ObjectName name, ObjectBody body) throws IOException {
    if (name.value().startsWith(SIGNS_OF_LIFE)) {
      signsOfLife.add(name);
      return;
    }
    if (name.equals(BundleSums.NAME)) {
      throw new BackupException.Sink(
          CoreFailure.NAME_REFUSED, Reason.REFUSED, "'%s' is the bundle's own".formatted(name));
    }
    append(name, body);
  }

  private synchronized void append(ObjectName name, ObjectBody body) throws IOException {
    requireWritable();
    if (index.find(name).isPresent()) {
      throw new BackupException.Sink(
          CoreFailure.OBJECT_EXISTS,
          Reason.ALREADY_EXISTS,
          "put %s in %s: it is there".formatted(name, names.whole()));
    }
    index.requireRoom(names.whole().toString());
    VolumeWriter.Mark before = out.mark();
    try {
      Place place = member(name, body);
      sums.add(name, body.digest());
      index.add(name, place);
    } catch (IOException | RuntimeException e) {
      takeBack(before, e);
      throw e;
    }
  }

  private Place member(ObjectName name, ObjectBody body) throws IOException {
    long start = out.position();
    TarWriter tar = new TarWriter(new ToVolumes());
    long offset = tar.begin(TarMember.file(name.value(), body.lengthBytes(), attributes()));
    MessageDigest digest = Digest.sha256();
    long length = 0;
    try (InputStream in = body.open()) {
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        length += n;
        requireWhole(name, body, length <= body.lengthBytes());
        tar.write(buffer, 0, n);
        digest.update(buffer, 0, n);
      }
    }
    requireWhole(
        name,
        body,
        length == body.lengthBytes() && Digest.of(digest.digest()).equals(body.digest()));
    tar.end();
    return new Place(start + offset, length);
  }

  private FileAttributes attributes() {
    Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    return new FileAttributes(0600, 0, 0, "", "", now, new TreeMap<>());
  }

  private static void requireWhole(ObjectName name, ObjectBody body, boolean isWhole)
      throws BackupException.Sink {
    if (!isWhole) {
      throw new BackupException.Sink(
          CoreFailure.SINK_FAILED,
          Reason.REFUSED,
          "put %s: the body is not the %d bytes with SHA-256 %s that were announced"
              .formatted(name, body.lengthBytes(), body.digest()));
    }
  }

  /** So that a body that cannot be read once more does no harm to what is there already. */
  private void takeBack(VolumeWriter.Mark before, Exception because) {
    try {
      out.backTo(before);
    } catch (IOException e) {
      isSpoilt = true;
      because.addSuppressed(e);
    }
  }

  private void requireWritable() throws BackupException {
    if (isSealed) {
      throw new IllegalStateException(names.whole() + " is finished");
    }
    if (isSpoilt) {
      throw new BackupException.Sink(
          CoreFailure.BUNDLE_INCOMPLETE,
          Reason.REFUSED,
          names.whole() + " failed while it was written, and cannot be finished");
    }
  }

  /** Writes what makes the bundle complete. Nothing can be put afterwards. */
  synchronized void seal() throws IOException {
    requireWritable();
    isSealed = true;
    byte[] all = sums.bytes();
    member(BundleSums.NAME, ObjectBody.of(all));
    new TarWriter(new ToVolumes()).finish();
  }

  int size() {
    return index.size();
  }

  /** Members of an archive, as bytes of volumes. */
  private final class ToVolumes extends ArtifactOutput {
    @Override
    public void boundary() {}

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        out.write(bytes, offset, length);
      } catch (IOException e) {
        throw MediumFailures.translate("write " + names.whole(), names.directory(), e);
      }
    }
  }

  @Override
  public InputStream open(ObjectName name, ByteRange range) throws IOException {
    Volumes volumes;
    synchronized (this) {
      volumes = new Volumes(out.files(), volumeBytes);
    }
    return BundleReader.open(names.whole().toString(), volumes, index, name, range);
  }

  @Override
  public ObjectPage list(String prefix, PageToken from) {
    if (prefix.startsWith(SIGNS_OF_LIFE)) {
      return new ObjectPage(
          signsOfLife.stream()
              .filter(name -> name.value().startsWith(prefix))
              .map(name -> new StoredObject(name, 0, ""))
              .toList(),
          PageToken.END);
    }
    return index.list(prefix, from);
  }

  @Override
  public void delete(ObjectName name) throws IOException {
    if (!signsOfLife.remove(name) && index.find(name).isPresent()) {
      throw new BackupException.Sink(
          CoreFailure.SINK_DENIED,
          Reason.DENIED,
          "delete %s: nothing is taken out of a bundle".formatted(name));
    }
  }

  @Override
  public StoreTraits traits() {
    return new StoreTraits(true, true, Long.MAX_VALUE, Map.of());
  }

  @Override
  public void close() {}
}
