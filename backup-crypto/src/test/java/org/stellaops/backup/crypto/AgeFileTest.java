package org.stellaops.backup.crypto;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AgeFileTest {
  @TempDir Path directory;

  private AgeIdentity identity;
  private Path plain;

  @BeforeEach
  void makeFile() throws IOException {
    identity = AgeIdentity.generate();
    plain = Files.write(directory.resolve("plain"), AgeBytes.plain(1_000_000));
  }

  @AfterEach
  void closeIdentity() {
    identity.close();
  }

  @Test
  void an_encrypted_file_is_decrypted_to_the_same_bytes() throws IOException {
    Path sealed = directory.resolve("sealed.age");
    Path again = directory.resolve("again");

    AgeFile.encrypt(Age.format(), plain, sealed, List.of(identity.recipient()));
    AgeFile.decrypt(Age.format(), sealed, again, List.of(identity));

    assertEquals(-1, Files.mismatch(plain, again));
    assertEquals("rw-------", mode(sealed));
    assertEquals("rw-------", mode(again));
  }

  @Test
  void nothing_is_overwritten() throws IOException {
    Path taken = Files.writeString(directory.resolve("taken"), "precious");

    assertThrows(
        FileAlreadyExistsException.class,
        () -> AgeFile.encrypt(Age.format(), plain, taken, List.of(identity.recipient())));

    assertEquals("precious", Files.readString(taken));
    assertNothingElse("plain", "taken");
  }

  @Test
  void a_damaged_file_leaves_nothing_behind() throws IOException {
    Path sealed = directory.resolve("sealed.age");
    AgeFile.encrypt(Age.format(), plain, sealed, List.of(identity.recipient()));
    byte[] bytes = Files.readAllBytes(sealed);
    bytes[bytes.length - 1] ^= 1;
    Path damaged = Files.write(directory.resolve("damaged.age"), bytes);
    Path again = directory.resolve("again");

    Failures.assertCorrupt(
        "STELLA-401", () -> AgeFile.decrypt(Age.format(), damaged, again, List.of(identity)));

    assertFalse(Files.exists(again));
    assertNothingElse("plain", "sealed.age", "damaged.age");
  }

  @Test
  void a_missing_file_leaves_nothing_behind() throws IOException {
    assertThrows(
        NoSuchFileException.class,
        () ->
            AgeFile.encrypt(
                Age.format(),
                directory.resolve("nobody"),
                directory.resolve("out"),
                List.of(identity.recipient())));

    assertNothingElse("plain");
  }

  private void assertNothingElse(String... names) throws IOException {
    try (var files = Files.list(directory)) {
      assertEquals(
          List.of(names).stream().sorted().toList(),
          files.map(path -> path.getFileName().toString()).sorted().toList());
    }
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }
}
