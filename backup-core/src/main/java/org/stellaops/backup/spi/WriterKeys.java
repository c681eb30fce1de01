package org.stellaops.backup.spi;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.model.WriterId;

/**
 * What a backup host holds: signs, names chunks, reads its own state. Nothing here opens a pack.
 * Not disposable: kept by the service like any secret. From any thread.
 */
public interface WriterKeys extends AutoCloseable {
  /** Name and public key. */
  WriterId id();

  /**
   * An armored signature in SSHSIG form (OpenSSH PROTOCOL.sshsig), hash algorithm sha512.
   *
   * @param namespace {@code stella-backup-v1}
   */
  String sign(String namespace, byte[] message) throws IOException;

  /** 32 bytes that key the ids of chunks. */
  FileKey chunkIdKey();

  /** Reads the writer's own state. */
  Identity stateIdentity();

  /** Seals the writer's own state. */
  Recipient stateRecipient();

  /** The repository these keys were first used with. */
  Optional<String> repository();

  /** Remembers the repository durably; later calls with another one are refused by the engine. */
  void bindTo(String repository) throws IOException;

  /** Public keys that signed for this writer before, newest first. */
  default List<String> formerKeys() {
    return List.of();
  }

  /** How the signing key gives way to the next; empty where that is done elsewhere. */
  default Optional<KeyRotation> rotation() {
    return Optional.empty();
  }

  @Override
  void close();
}
