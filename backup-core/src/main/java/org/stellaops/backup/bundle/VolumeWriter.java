package org.stellaops.backup.bundle;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;

/**
 * Bytes into files of a largest size, under names that say that they are not finished. One thread.
 */
final class VolumeWriter implements Closeable {
  private final Medium medium;
  private final VolumeNames names;
  private final long volumeBytes;
  private final List<Written> full = new ArrayList<>();
  private Medium.@Nullable Handle open;
  private MessageDigest digest = Digest.sha256();
  private long inVolume;

  /** How many files of ours there may be: also one whose making failed, unless it is another's. */
  private int made;

  /** A volume whose last byte was written. */
  record Written(long sizeBytes, Digest digest) {}

  /** A place that can be gone back to. */
  record Mark(int fullVolumes, long inVolume, MessageDigest digest) {}

  VolumeWriter(Medium medium, VolumeNames names, long volumeBytes) {
    this.medium = medium;
    this.names = names;
    this.volumeBytes = volumeBytes;
  }

  /** Makes the first file, by which the name is ours. */
  void begin() throws IOException {
    volume();
  }

  /** How many bytes were written. */
  long position() {
    return full.size() * volumeBytes + inVolume;
  }

  void write(byte[] bytes, int offset, int length) throws IOException {
    int at = offset;
    int left = length;
    while (left > 0) {
      Medium.Handle out = volume();
      int n = (int) Math.min(left, volumeBytes - inVolume);
      out.write(bytes, at, n);
      digest.update(bytes, at, n);
      inVolume += n;
      at += n;
      left -= n;
      if (inVolume == volumeBytes) {
        endVolume();
      }
    }
  }

  private Medium.Handle volume() throws IOException {
    Medium.Handle now = open;
    if (now == null) {
      if (full.size() == VolumeNames.MOST) {
        throw new BackupException.Refused(
            CoreFailure.TOO_LARGE,
            "%s: more than %d volumes of %d bytes; hint: allow larger ones"
                .formatted(names.whole(), VolumeNames.MOST, volumeBytes));
      }
      now = create(full.size() + 1);
      open = now;
    }
    return now;
  }

  private Medium.Handle create(int number) throws IOException {
    made = number;
    try {
      return medium.create(names.unfinished(number));
    } catch (FileAlreadyExistsException e) {
      made = number - 1;
      throw e;
    }
  }

  private void endVolume() throws IOException {
    Medium.Handle ending = volume();
    ending.sync();
    full.add(new Written(inVolume, Digest.of(digest.digest())));
    open = null;
    digest = Digest.sha256();
    inVolume = 0;
    ending.close();
  }

  /** Where the next byte goes. */
  Mark mark() {
    return new Mark(full.size(), inVolume, copy(digest));
  }

  /** Takes back everything behind a place. The first file stays, even if nothing is in it. */
  void backTo(Mark mark) throws IOException {
    boolean isWithin = mark.inVolume() > 0 || mark.fullVolumes() == 0;
    int kept = mark.fullVolumes() + (isWithin ? 1 : 0);
    boolean isInOpenVolume = kept == made && full.size() == mark.fullVolumes();
    if (!isInOpenVolume) {
      closeOpen();
      while (made > kept) {
        medium.delete(names.unfinished(made));
        made--;
      }
      full.subList(mark.fullVolumes(), full.size()).clear();
    }
    if (isWithin) {
      Medium.Handle now = open == null ? medium.append(names.unfinished(kept)) : open;
      open = now;
      now.truncate(mark.inVolume());
    }
    inVolume = mark.inVolume();
    digest = copy(mark.digest());
  }

  private static MessageDigest copy(MessageDigest digest) {
    try {
      return (MessageDigest) digest.clone();
    } catch (CloneNotSupportedException e) {
      throw new AssertionError("SHA-256 of every JDK can be cloned", e);
    }
  }

  /** Makes everything durable; returns what the volumes hold. */
  List<Written> finish() throws IOException {
    if (inVolume > 0) {
      endVolume();
    }
    return List.copyOf(full);
  }

  /** The files that there are, by the names that they have now. */
  List<Path> files() {
    List<Path> files = new ArrayList<>();
    for (int number = 1; number <= made; number++) {
      files.add(names.unfinished(number));
    }
    return files;
  }

  private void closeOpen() throws IOException {
    Medium.Handle closing = open;
    open = null;
    if (closing != null) {
      closing.close();
    }
  }

  @Override
  public void close() throws IOException {
    closeOpen();
  }
}
