package org.stellaops.backup.crypto;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.crypto.internal.files.KeyFiles;
import org.stellaops.backup.crypto.internal.files.NewFile;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.WriterId;
import org.stellaops.backup.spi.WriterKeyring;
import org.stellaops.backup.spi.WriterKeys;

/**
 * A writer's keys in a file that its owner alone may read: made where there is none, and bound to
 * the first repository they are used with. A value; from any thread and any number of processes.
 *
 * <p>The file is text, in UTF-8 with LF, exactly these lines in this order: the repository only
 * once the keys are bound, and a line for each key that gave way to another ({@code
 * docs/format/writer-key.md}):
 *
 * <pre>
 * stella-backup writer key 1
 * # Keep this file like a password. It signs backups; it cannot read them.
 * writer: host-a
 * public-key: ssh-ed25519 AAAA…
 * signing-key: &lt;base64 of 32 bytes, RFC 8032&gt;
 * state-identity: AGE-SECRET-KEY-1…
 * chunk-id-key: &lt;base64 of 32 bytes&gt;
 * repository: &lt;id&gt;
 * former-public-key: ssh-ed25519 AAAA…
 * </pre>
 *
 * <p>Lines that begin with {@code #} are passed over.
 */
public final class WriterKeyFile implements WriterKeyring {
  private final Path path;
  private final @Nullable String name;

  private WriterKeyFile(Path path, @Nullable String name) {
    this.path = path;
    this.name = name;
  }

  /**
   * The keys in a file. Where there is none yet, they get the name {@code writer-} and 8
   * hexadecimal digits of their public key's SHA-256.
   *
   * @param path in a directory that exists
   */
  public static WriterKeyFile at(Path path) {
    return new WriterKeyFile(path, null);
  }

  /**
   * The same file, of the writer of this name: given to keys that are made, demanded of keys that
   * are there.
   *
   * @throws IllegalArgumentException if it is no name of a writer, see {@link WriterId}
   */
  public WriterKeyFile named(String writer) {
    WriterKeyText.requireName(writer);
    return new WriterKeyFile(path, writer);
  }

  /**
   * {@inheritDoc} Of several processes that make the file at once, one does, and all use what it
   * made.
   *
   * @throws BackupException.Crypto KEY_FILE_EXPOSED if others than its owner may read the file;
   *     KEY_UNAVAILABLE if it can neither be read nor made; BAD_KEY if it is not well-formed or of
   *     another writer
   */
  @Override
  public WriterKeys open() throws IOException {
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      create();
    }
    return new OpenWriterKeys(this, load());
  }

  /**
   * Name and public key, what a reader pins; the private keys are wiped at once.
   *
   * @throws BackupException.Crypto as {@link #open}; KEY_UNAVAILABLE if there is no file
   */
  public WriterId id() throws IOException {
    try (WriterKeyText text = load()) {
      return text.id();
    }
  }

  /** The file as it is now. */
  WriterKeyText load() throws IOException {
    KeyFiles.requireOwnerOnly(path);
    byte[] bytes = KeyFiles.read(path, WriterKeyText.MAX_BYTES);
    try {
      WriterKeyText text = WriterKeyText.parse(bytes, toString());
      requireName(text);
      return text;
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  /** Where the keys wait that take the place of these. */
  WriterKeyFile next() {
    return new WriterKeyFile(path.resolveSibling(path.getFileName() + ".next"), name);
  }

  /** Whether there is such a file. */
  boolean exists() {
    return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
  }

  /** Makes the file, unless another process did. */
  void createAs(WriterKeyText text) throws IOException {
    byte[] bytes = text.toBytes();
    try (NewFile file = NewFile.beside(path)) {
      file.stream().write(bytes);
      file.publishAsNew();
    } catch (FileAlreadyExistsException e) {
      // What it made is as good, and stays.
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  /** Removes the file. */
  void remove() throws IOException {
    Files.deleteIfExists(path);
  }

  /** Replaces the file, which is whole before and after. */
  void replace(WriterKeyText text) throws IOException {
    byte[] bytes = text.toBytes();
    try (NewFile file = NewFile.beside(path)) {
      file.stream().write(bytes);
      file.publishInPlace();
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof WriterKeyFile file
        && path.equals(file.path)
        && Objects.equals(name, file.name);
  }

  @Override
  public int hashCode() {
    return path.hashCode();
  }

  @Override
  public String toString() {
    return "writer key file " + path;
  }

  private void create() throws IOException {
    byte[] bytes = new byte[0];
    try (WriterKeyText text = WriterKeyText.generate(name);
        NewFile file = NewFile.beside(path)) {
      bytes = text.toBytes();
      file.stream().write(bytes);
      file.publishAsNew();
    } catch (FileAlreadyExistsException e) {
      // Another process made it first. Its keys are as good, and they are the ones that stay.
    } catch (BackupException e) {
      throw e;
    } catch (IOException e) {
      throw new BackupException.Crypto(
          CoreFailure.KEY_UNAVAILABLE, "cannot make %s: %s".formatted(this, e), e);
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  private void requireName(WriterKeyText text) throws BackupException.Crypto {
    String found = text.id().name();
    if (name != null && !name.equals(found)) {
      text.close();
      throw new BackupException.Crypto(
          CoreFailure.BAD_KEY, "%s is of writer %s, not of %s".formatted(this, found, name));
    }
  }
}
