package org.stellaops.backup.internal.repository;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.stellaops.backup.internal.pipeline.DigestingBuffer;
import org.stellaops.backup.internal.repository.LogView.Standing;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.Encryptor;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.SealedFormat;
import org.stellaops.backup.spi.WriterKeys;

/**
 * The epochs of a repository. Owners' recipients wrap an epoch's identity and nothing else; packs
 * are encrypted to the epoch. So one unwrap, one touch of a token or one scrypt, opens everything
 * of an epoch.
 */
public final class Epochs {
  private static final String KIND = "epoch";

  /** Largest wrapped key. */
  public static final int MAX_KEY_BYTES = 64 << 10;

  private final Repository repository;
  private final WriterKeys keys;
  private final RandomGenerator random;

  /** Whatever is given stays the caller's. */
  public Epochs(Repository repository, WriterKeys keys, RandomGenerator random) {
    this.repository = repository;
    this.keys = keys;
    this.random = random;
  }

  /**
   * The newest epoch that is wrapped for exactly these recipients, made now if there is none. Of
   * several engines that find none, all use the epoch of the one that was first.
   */
  public Epoch current(List<? extends Recipient> owners) throws IOException {
    Optional<Epoch> known = find(repository.log(Names.ADMIN), owners);
    Optional<Epoch> mine = known.isPresent() ? known : begin(owners);
    return mine.isPresent() ? mine.get() : current(owners);
  }

  private Optional<Epoch> find(LogView admin, List<? extends Recipient> owners) throws IOException {
    List<Standing> entries = admin.entries();
    for (int i = entries.size() - 1; i >= 0; i--) {
      Entry entry = entries.get(i).entry();
      boolean isEpoch = entries.get(i).isTrusted() && entry.kind().equals(KIND);
      if (isEpoch && new TreeSet<>(entry.fields("for")).equals(fingerprints(owners))) {
        return Optional.of(read(entry, owners.get(0).format()));
      }
    }
    return Optional.empty();
  }

  private Set<String> fingerprints(List<? extends Recipient> owners) {
    TreeSet<String> fingerprints = new TreeSet<>();
    owners.forEach(o -> fingerprints.add(o.fingerprint(keys.chunkIdKey())));
    return fingerprints;
  }

  private Epoch read(Entry entry, SealedFormat format) throws IOException {
    String id = entry.field("epoch").orElse("");
    Recipient recipient = format.recipient(entry.field("recipient").orElse(""));
    Entry.Line line =
        entry.lines().stream()
            .findFirst()
            .orElseThrow(
                () ->
                    new BackupException.Corrupt(
                        CoreFailure.MALFORMED, entry + " names no key object"));
    byte[] wrapped = repository.store().read(ObjectName.of(line.path()), MAX_KEY_BYTES);
    if (!Digest.ofContent(wrapped).equals(line.stored())) {
      throw new BackupException.Corrupt(
          CoreFailure.CORRUPT_OBJECT,
          "%s has the stored digest %s, expected %s"
              .formatted(line.path(), Digest.ofContent(wrapped), line.stored()));
    }
    return new Epoch(id, recipient, Base64.getEncoder().encodeToString(wrapped));
  }

  /** A new epoch; empty if somebody else began one for these recipients meanwhile. */
  private Optional<Epoch> begin(List<? extends Recipient> owners) throws IOException {
    SealedFormat format = owners.get(0).format();
    Epoch fresh;
    byte[] wrapped;
    try (Secret identity = format.newIdentity()) {
      Recipient recipient = format.recipientOf(identity);
      wrapped = wrap(format, identity, owners);
      fresh = new Epoch(idOf(recipient), recipient, Base64.getEncoder().encodeToString(wrapped));
    }
    ObjectName name = Names.epochKey(fresh.id(), 1);
    repository.store().create(name, wrapped, MAX_KEY_BYTES);
    Optional<Entry> begun =
        repository.commit(
            Names.ADMIN,
            keys,
            random,
            now -> {
              if (find(now, owners).isPresent()) {
                return Optional.empty();
              }
              Entry.Draft draft = new Entry.Draft(KIND).field("epoch", fresh.id());
              draft.field("recipient", fresh.recipient().text());
              fingerprints(owners).forEach(f -> draft.field("for", f));
              return Optional.of(draft.line(Digest.ofContent(wrapped), name.value()));
            });
    return begun.map(entry -> fresh);
  }

  private static String idOf(Recipient recipient) {
    return Digest.ofContent(recipient.text().getBytes(StandardCharsets.US_ASCII))
        .hex()
        .substring(0, 16);
  }

  private static byte[] wrap(SealedFormat format, Secret identity, List<? extends Recipient> owners)
      throws IOException {
    byte[] text = identity.use(Epochs::ascii);
    DigestingBuffer sealed = new DigestingBuffer(1024);
    try (Encryptor.Sealing out = format.seal(sealed, owners)) {
      out.write(text);
      out.write('\n');
      out.finish();
    } finally {
      Arrays.fill(text, (byte) 0);
    }
    try (InputStream in = sealed.body().open()) {
      return in.readAllBytes();
    }
  }

  private static byte[] ascii(char[] characters) {
    byte[] bytes = new byte[characters.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) characters[i];
    }
    return bytes;
  }

  /**
   * The identity of the epoch of a snapshot.
   *
   * @param keyFields {@code <epoch> <base64>} as the snapshot's entry has them
   * @param owners at least one
   * @throws BackupException.Crypto WRONG_KEY if none of them opens one
   */
  public static Identity open(List<String> keyFields, List<? extends Identity> owners)
      throws IOException {
    BackupException.Crypto wrong = null;
    for (String field : keyFields) {
      byte[] wrapped = decode(field);
      for (Identity owner : owners) {
        try {
          return unwrap(owner.format(), wrapped, List.of(owner));
        } catch (BackupException.Crypto e) {
          wrong = e;
        }
      }
    }
    throw wrong == null
        ? new BackupException.Corrupt(
            CoreFailure.MALFORMED, "the snapshot's entry carries no key of an epoch")
        : wrong;
  }

  private static byte[] decode(String field) throws BackupException {
    try {
      return Base64.getDecoder().decode(field.substring(field.indexOf(' ') + 1));
    } catch (IllegalArgumentException e) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED, "the key of an epoch is not base64", e);
    }
  }

  private static Identity unwrap(
      SealedFormat format, byte[] wrapped, List<? extends Identity> owners) throws IOException {
    byte[] text;
    try (InputStream in = format.open(new ByteArrayInputStream(wrapped), owners)) {
      text = DigestingBuffer.readBounded(in, MAX_KEY_BYTES, "the key of an epoch");
    }
    CharBuffer characters = StandardCharsets.US_ASCII.decode(ByteBuffer.wrap(text));
    Arrays.fill(text, (byte) 0);
    try (Secret secret = Secret.of(characters)) {
      return format.identity(secret);
    } finally {
      Arrays.fill(characters.array(), '\0');
    }
  }
}
