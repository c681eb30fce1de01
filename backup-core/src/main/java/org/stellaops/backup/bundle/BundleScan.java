package org.stellaops.backup.bundle;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.stellaops.backup.bundle.BundleIndex.Place;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.internal.tar.TarReader;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;

/**
 * Finds the members of a bundle in one pass over their headers. Whatever is not a plain file with
 * the name of an object, once, is refused: nothing of it is ever written anywhere, but whoever
 * unpacks the same archive with a {@code tar} would.
 */
final class BundleScan {
  private static final int USTAR_AT = 257;

  /** Two blocks of zeros end an archive; the first is what ends the members. */
  private static final int END_BYTES = 512;

  private final String what;
  private final Volumes volumes;
  private final long totalBytes;
  private final boolean isInVolumes;

  /**
   * @param totalBytes of all volumes
   * @param isInVolumes whether there may be more volumes than are here
   */
  BundleScan(String what, Volumes volumes, long totalBytes, boolean isInVolumes) {
    this.what = what;
    this.volumes = volumes;
    this.totalBytes = totalBytes;
    this.isInVolumes = isInVolumes;
  }

  /**
   * Where everything is.
   *
   * @throws BackupException.Corrupt NOT_A_BUNDLE, MALFORMED, TRUNCATED, VOLUME_MISSING,
   *     BUNDLE_INCOMPLETE or UNSUPPORTED_FORMAT
   */
  BundleIndex index() throws IOException {
    requireArchive();
    BundleIndex index = members();
    requireComplete(index);
    return index;
  }

  private void requireArchive() throws IOException {
    byte[] head;
    try (Volumes.In in = volumes.open(0, 512)) {
      head = in.readNBytes(512);
    }
    boolean isTar =
        head.length == 512
            && new String(head, USTAR_AT, 5, StandardCharsets.ISO_8859_1).equals("ustar");
    if (!isTar) {
      throw new BackupException.Corrupt(
          CoreFailure.NOT_A_BUNDLE,
          "%s is %s, not a bundle".formatted(what, FirstBytes.of(head).words()));
    }
  }

  private BundleIndex members() throws IOException {
    BundleIndex index = new BundleIndex();
    try (Volumes.In in = volumes.open(0, totalBytes)) {
      TarReader tar = new TarReader(in, what, Long.MAX_VALUE);
      for (Optional<TarMember> member = tar.next(); member.isPresent(); member = tar.next()) {
        Place place = new Place(tar.offset(), member.get().sizeBytes());
        if (place.sizeBytes() > totalBytes - place.position()) {
          throw ended(place.position() + place.sizeBytes());
        }
        add(index, member.get(), place);
        in.skipTo(place.position() + place.sizeBytes());
        tar.skipped();
      }
      if (totalBytes - tar.offset() < END_BYTES) {
        throw ended(tar.offset() + END_BYTES);
      }
    } catch (BackupException.Corrupt e) {
      throw e.code() == CoreFailure.TRUNCATED ? ended(totalBytes + 1) : e;
    }
    return index;
  }

  private void add(BundleIndex index, TarMember member, Place place) throws BackupException {
    if (member.type() != TarMember.Type.FILE) {
      throw malformed("'%s' is a %s".formatted(printable(member), member.type().word()));
    }
    index.requireRoom(what);
    boolean isNew;
    try {
      isNew = index.add(ObjectName.of(member.name()), place);
    } catch (IllegalArgumentException e) {
      throw malformed("a member cannot be an object: " + e.getMessage());
    }
    if (!isNew) {
      throw malformed("'%s' is in it twice".formatted(printable(member)));
    }
  }

  /** It says what it holds, and holds exactly that. */
  private void requireComplete(BundleIndex index) throws IOException {
    if (index.find(BundleSums.NAME).isEmpty()) {
      throw new BackupException.Corrupt(
          CoreFailure.BUNDLE_INCOMPLETE,
          "%s has no %s, which is written last".formatted(what, BundleSums.NAME));
    }
    Set<Place> named = new HashSet<>();
    index.find(BundleSums.NAME).ifPresent(named::add);
    BundleSums.read(
        BundleReader.open(what, volumes, index, BundleSums.NAME, ByteRange.ALL),
        what,
        (name, stored) -> {
          Place place =
              index
                  .find(name)
                  .orElseThrow(
                      () ->
                          new BackupException.Corrupt(
                              CoreFailure.OBJECT_NOT_FOUND,
                              "%s is missing in %s".formatted(name, what)));
          if (!named.add(place)) {
            throw malformed("%s names '%s' twice, or itself".formatted(BundleSums.NAME, name));
          }
        });
    if (named.size() != index.size()) {
      throw malformed(
          "%s names %d of %d members"
              .formatted(BundleSums.NAME, named.size() - 1, index.size() - 1));
    }
  }

  private BackupException.Corrupt ended(long expected) {
    boolean mayGoOn = isInVolumes && totalBytes == volumes.files().size() * volumes.volumeBytes();
    if (mayGoOn) {
      return new BackupException.Corrupt(
          CoreFailure.VOLUME_MISSING,
          "%s goes on behind volume %03d, which is the last one here"
              .formatted(what, volumes.files().size()));
    }
    return new BackupException.Corrupt(
        CoreFailure.TRUNCATED,
        "%s ends after %d bytes, expected at least %d".formatted(what, totalBytes, expected));
  }

  private BackupException.Corrupt malformed(String how) {
    return new BackupException.Corrupt(CoreFailure.MALFORMED, what + ": " + how);
  }

  private static String printable(TarMember member) {
    String name = member.name();
    String head = name.length() > 200 ? name.substring(0, 200) + "…" : name;
    return head.replaceAll("[^\\x20-\\x7e…]", "?");
  }
}
