package org.stellaops.backup.crypto;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.crypto.internal.sshsig.Ed25519Key;
import org.stellaops.backup.crypto.internal.sshsig.SshSignature;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.WriterId;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.KeyRotation;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.WriterKeys;

/** The keys of a {@link WriterKeyFile} in memory. */
final class OpenWriterKeys implements WriterKeys {
  private final WriterKeyFile file;
  private final WriterKeyText keys;
  private final Recipient stateRecipient;
  private volatile WriterKeyText signer;
  private volatile Optional<String> repository;
  private volatile boolean isClosed;

  /**
   * Over keys that were just read.
   *
   * @param keys closed with this
   */
  OpenWriterKeys(WriterKeyFile file, WriterKeyText keys) {
    this.file = file;
    this.keys = keys;
    this.signer = keys;
    this.stateRecipient = keys.state().recipient();
    this.repository = keys.repository();
  }

  @Override
  public WriterId id() {
    return signer.id();
  }

  @Override
  public String sign(String namespace, byte[] message) throws IOException {
    requireOpen();
    return SshSignature.sign(signer.signing(), namespace, message);
  }

  /** {@inheritDoc} A copy, which the caller closes. */
  @Override
  public FileKey chunkIdKey() {
    requireOpen();
    return FileKey.of(keys.chunkIdKey());
  }

  /** {@inheritDoc} Closed with these keys. */
  @Override
  public Identity stateIdentity() {
    requireOpen();
    return keys.state();
  }

  @Override
  public Recipient stateRecipient() {
    return stateRecipient;
  }

  @Override
  public Optional<String> repository() {
    return repository;
  }

  /**
   * {@inheritDoc}
   *
   * @throws BackupException.Refused WRONG_REPOSITORY if the file is bound to another one
   */
  @Override
  public synchronized void bindTo(String repositoryId) throws IOException {
    requireOpen();
    try (WriterKeyText stored = file.load()) {
      requireSameKeys(stored);
      if (stored.repository().isEmpty()) {
        file.replace(stored.boundTo(repositoryId));
      } else if (!stored.repository().get().equals(repositoryId)) {
        throw new BackupException.Refused(
            CoreFailure.WRONG_REPOSITORY,
            "%s is bound to repository %s, not to %s"
                .formatted(file, stored.repository().get(), repositoryId));
      }
    }
    repository = Optional.of(repositoryId);
  }

  @Override
  public void close() {
    isClosed = true;
    signer.close();
    keys.close();
  }

  @Override
  public String toString() {
    return "keys of writer " + id().name();
  }

  @Override
  public List<String> formerKeys() {
    return signer.former();
  }

  @Override
  public Optional<KeyRotation> rotation() {
    return Optional.of(new InFile());
  }

  /**
   * The next key waits in a file of its own, which is made exclusively: two processes that rotate
   * at once rotate to the same key.
   */
  private final class InFile implements KeyRotation {
    @Override
    public String nextKey() throws IOException {
      synchronized (OpenWriterKeys.this) {
        requireOpen();
        WriterKeyFile next = file.next();
        try (WriterKeyText stored = file.load()) {
          requireSameKeys(stored);
          if (next.exists() && next.id().equals(stored.id())) {
            next.remove(); // it took over, and a crash left it
          }
          if (!next.exists()) {
            next.createAs(stored.withNext(Ed25519Key.generate()));
          }
        }
        return next.id().publicKey();
      }
    }

    @Override
    public Optional<String> waitingKey() throws IOException {
      requireOpen();
      WriterKeyFile next = file.next();
      return next.exists()
          ? Optional.of(next.id().publicKey()).filter(k -> !k.equals(id().publicKey()))
          : Optional.empty();
    }

    @Override
    public void takeOver() throws IOException {
      synchronized (OpenWriterKeys.this) {
        requireOpen();
        WriterKeyFile next = file.next();
        if (next.exists()) {
          try (WriterKeyText text = next.load()) {
            file.replace(text);
          }
          next.remove();
        }
        WriterKeyText now = file.load();
        if (now.id().equals(signer.id())) {
          now.close();
          throw new IllegalStateException("there is no next key");
        }
        signer = now;
      }
    }
  }

  private void requireSameKeys(WriterKeyText stored) throws BackupException.Crypto {
    if (!stored.id().equals(id())) {
      throw new BackupException.Crypto(
          CoreFailure.BAD_KEY,
          file + " was replaced by keys of another writer since it was opened");
    }
  }

  private void requireOpen() {
    if (isClosed) {
      throw new IllegalStateException("the writer keys are closed");
    }
  }
}
