package org.stellaops.backup.evidence;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.stellaops.backup.internal.disk.FileAttributes;
import org.stellaops.backup.internal.tar.TarIndex;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.internal.tar.TarWriter;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.StoredObject;

/** One capture of an {@link EvidenceSource}. */
final class EvidenceCapture {
  private static final int BUFFER_BYTES = 1 << 16;

  /** Read as a whole before it is written. */
  private static final int SMALL_BYTES = 8 << 20;

  private final ReadableStore store;
  private final String where;
  private final List<String> changing;
  private final CaptureSession session;
  private final TarIndex.Spool index = new TarIndex.Spool();
  private final Anchors anchors = new Anchors();
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private long objects;
  private long bytes;

  EvidenceCapture(
      ReadableStore store, String where, List<String> changing, CaptureSession session) {
    this.store = store;
    this.where = where;
    this.changing = changing;
    this.session = session;
  }

  void run() throws IOException {
    Listing listing = Listing.of(store, session.stopping());
    if (listing.objects() == 0) {
      throw new BackupException.Source(CoreFailure.EMPTY_ARTIFACT, "no object in " + where);
    }
    session.expect(InventoryItem.of("objects", listing.objects(), listing.bytes()));
    try (var changes = Changes.since(session, changing)) {
      session.artifact(EvidenceSource.TAR, Form.CONTENT, out -> archive(out, listing, changes));
      changes.finish();
    }
    session.artifact(EvidenceSource.INDEX, Form.CONTENT.remembered(), index::writeTo);
    session.captured(InventoryItem.of("objects", objects, bytes));
    anchors.tell(session);
  }

  private void archive(ArtifactOutput out, Listing listing, Changes changes) throws IOException {
    var tar = new TarWriter(out);
    listing.inOrder(
        object -> {
          session.stopping().check();
          TarIndex.Line line = add(tar, object, listing.bytes());
          changes.met(line);
          anchors.met(line);
        });
    tar.finish();
  }

  private TarIndex.Line add(TarWriter tar, StoredObject object, long expectedBytes)
      throws IOException {
    TarIndex.Line line =
        object.lengthBytes() <= SMALL_BYTES
            ? small(tar, object)
            : large(tar, object, expectedBytes);
    index.add(line);
    objects++;
    session.progress(bytes, objects, expectedBytes);
    return line;
  }

  /**
   * Read before its header is written: what the locker replaces, such as its index, may have
   * another length than it was listed with. Whether it may have other bytes is found out later.
   */
  private TarIndex.Line small(TarWriter tar, StoredObject object) throws IOException {
    byte[] content;
    try (InputStream in = store.open(object.name(), ByteRange.ALL)) {
      content = in.readNBytes(SMALL_BYTES + 1);
    }
    if (content.length > SMALL_BYTES) {
      throw changed(object);
    }
    long offset = tar.begin(member(object, content.length));
    tar.write(content, 0, content.length);
    tar.end();
    bytes += content.length;
    return line(object, offset, content.length, Digest.ofContent(content));
  }

  private TarIndex.Line large(TarWriter tar, StoredObject object, long expectedBytes)
      throws IOException {
    MessageDigest digest = Digest.sha256();
    long left = object.lengthBytes();
    long offset;
    try (InputStream in = store.open(object.name(), ByteRange.ALL)) {
      offset = tar.begin(member(object, left));
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        session.stopping().check();
        if (n > left) {
          throw changed(object);
        }
        tar.write(buffer, 0, n);
        digest.update(buffer, 0, n);
        left -= n;
        bytes += n;
        session.progress(bytes, objects, expectedBytes);
      }
    }
    if (left != 0) {
      throw changed(object);
    }
    tar.end();
    return line(object, offset, object.lengthBytes(), Digest.of(digest.digest()));
  }

  private static TarMember member(StoredObject object, long sizeBytes) {
    return TarMember.file(object.name().value(), sizeBytes, FileAttributes.plain(0644));
  }

  private static TarIndex.Line line(
      StoredObject object, long offset, long sizeBytes, Digest content) {
    SortedMap<String, String> more = new TreeMap<>();
    if (!object.version().isEmpty()) {
      more.put("version", object.version());
    }
    return new TarIndex.Line(
        object.name().value(), TarMember.Type.FILE, offset, sizeBytes, content, more);
  }

  private static BackupException.Source changed(StoredObject object) {
    return new BackupException.Source(
        CoreFailure.CHANGED_WHILE_READ,
        "%s was listed with %d bytes and has another length"
            .formatted(object.name(), object.lengthBytes()));
  }
}
