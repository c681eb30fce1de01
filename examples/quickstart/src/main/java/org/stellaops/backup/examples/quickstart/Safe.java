package org.stellaops.backup.examples.quickstart;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.AgeRecipient;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.WriterId;

/**
 * What the owner keeps away from the host: the identity that opens backups, and the names of those
 * whose signatures count.
 *
 * @param directory the safe
 * @param owner recipient whose identity lies in the safe
 * @param escrow recipient whose identity lies in somebody else's
 */
record Safe(Path directory, AgeRecipient owner, AgeRecipient escrow) {
  /** Makes both key pairs. The private half of the escrow's never touches the disk. */
  static Safe make(Path directory) throws IOException {
    Files.createDirectory(
        directory,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    try (AgeIdentity owner = AgeIdentity.generate();
        AgeIdentity escrow = AgeIdentity.generate()) {
      Safe safe = new Safe(directory, owner.recipient(), escrow.recipient());
      owner.writeTo(safe.identity());
      return safe;
    }
  }

  /** An age identity file, 0600. */
  Path identity() {
    return directory.resolve("owner.txt");
  }

  /** An OpenSSH file of the writers that are trusted. */
  Path allowedSigners() {
    return directory.resolve("allowed_signers");
  }

  /** What was there before everything was destroyed. */
  Path writtenDown() {
    return directory.resolve("written-down.txt");
  }

  void pin(WriterId writer) throws IOException {
    Files.writeString(
        allowedSigners(), Trust.owner(writer).toAllowedSigners(), StandardCharsets.US_ASCII);
  }
}
