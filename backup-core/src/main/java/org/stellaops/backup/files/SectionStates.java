package org.stellaops.backup.files;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import org.stellaops.backup.internal.disk.FileAttributes;
import org.stellaops.backup.internal.disk.FileState;
import org.stellaops.backup.model.Digest;

/**
 * Digest of what the members of a section looked like: name, type, mode, owner, size, time of
 * modification, time of change, inode and device of each. If it is the same at another time, the
 * members are the same, with all their bytes and attributes: the time of change, which no program
 * can set, moves with every one of them.
 *
 * <p>Unless a member changed while, or just before, it was looked at: file systems count time in
 * steps, and within one step a second change leaves no trace. Such a member is <b>racy</b>, as git
 * calls it, and what was seen of its section proves nothing.
 */
final class SectionStates {
  /** Changes with what is written for the same members. */
  private static final String VERSION = "sections 1";

  /** The coarsest step: that of FAT. */
  private static final Duration STEP = Duration.ofSeconds(2);

  private final MessageDigest digest = Digest.sha256();
  private final StringBuilder text = new StringBuilder(VERSION);
  private final Instant settled;
  private boolean isRacy;

  /**
   * @param began before the first member was looked at
   */
  SectionStates(Instant began) {
    this.settled = began.minus(STEP);
  }

  /** The next member. */
  void add(String name, FileState state) {
    FileAttributes is = state.attributes();
    text.append(name).append('\0').append(state.type()).append(' ').append(is.mode());
    text.append(' ').append(is.uid()).append(' ').append(is.gid());
    text.append(' ').append(state.sizeBytes());
    Instant modified = is.modified();
    text.append(' ').append(modified.getEpochSecond()).append('.').append(modified.getNano());
    text.append(' ').append(state.identity()).append(' ');
    text.append(is.user()).append('\0').append(is.group()).append('\0');
    if (text.length() > 1 << 13) {
      hash();
    }
    isRacy |= !state.changed().isBefore(settled);
  }

  private void hash() {
    digest.update(text.toString().getBytes(StandardCharsets.UTF_8));
    text.setLength(0);
  }

  /** Whether one of them changed too late to tell. */
  boolean isRacy() {
    return isRacy;
  }

  /** Of all members. Call once. */
  Digest digest() {
    hash();
    return Digest.of(digest.digest());
  }
}
