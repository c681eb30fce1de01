package org.stellaops.backup.internal.repository;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.stellaops.backup.internal.pipeline.DigestingBuffer;
import org.stellaops.backup.internal.repository.LogView.Standing;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.EpochHeader;
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
 * of an epoch, and another owner costs one more small object.
 */
public final class Epochs {
  private static final String KIND = "epoch";
  private static final String PASSPHRASE = "passphrase";

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

  /** What the log of keys says of one epoch. */
  private record Known(Entry first, Set<String> readers, List<Entry.Line> keys) {
    String id() {
      return first.field("epoch").orElse("");
    }

    String recipient() {
      return first.field("recipient").orElse("");
    }

    /**
     * Whether these, and nobody else, can open it. A passphrase beside recipients does not count: a
     * plan cannot name both.
     */
    boolean isFor(Set<String> owners) {
      boolean isForPassphrase = owners.stream().anyMatch(Epochs::isPassphrase);
      Set<String> counted = new TreeSet<>(readers);
      if (!isForPassphrase) {
        counted.removeIf(Epochs::isPassphrase);
      }
      return counted.equals(owners);
    }

    EpochHeader header() {
      return new EpochHeader(
          id(), recipient(), first.time(), first.publicKey(), List.copyOf(readers));
    }
  }

  private static boolean isPassphrase(String fingerprint) {
    return fingerprint.startsWith(PASSPHRASE + " ");
  }

  /**
   * The newest epoch that is wrapped for exactly these recipients, made now if there is none. Of
   * several engines that find none, all use the epoch of the one that was first.
   */
  public Epoch current(List<? extends Recipient> owners) throws IOException {
    Optional<Epoch> known = find(known(repository.log(Names.ADMIN)), owners);
    Optional<Epoch> mine =
        known.isPresent()
            ? known
            : begin(owners, now -> newest(known(now), fingerprints(owners)).isPresent());
    return mine.isPresent() ? mine.get() : current(owners);
  }

  /** The newest epoch that is wrapped for exactly these recipients; makes none. */
  public Optional<Epoch> existing(List<? extends Recipient> owners) throws IOException {
    return find(known(repository.log(Names.ADMIN)), owners);
  }

  /**
   * The newest epoch for exactly these recipients that somebody else than this writer made: its key
   * was never on this host.
   *
   * @throws BackupException.Refused EPOCH_MISSING
   */
  public Epoch madeElsewhere(List<? extends Recipient> owners) throws IOException {
    String mine = keys.id().publicKey();
    Set<String> ours = new TreeSet<>(keys.formerKeys());
    ours.add(mine);
    List<Standing> others =
        repository.log(Names.ADMIN).entries().stream()
            .filter(s -> !ours.contains(s.entry().publicKey()))
            .toList();
    return find(known(others), owners)
        .orElseThrow(
            () ->
                new BackupException.Refused(
                    CoreFailure.EPOCH_MISSING,
                    "the plan takes only epochs that others made, and none is for exactly %s; hint: an administrator begins one with keys().newEpoch(...)"
                        .formatted(owners.stream().map(Recipient::text).toList())));
  }

  /** Every epoch, oldest first. */
  public static List<EpochHeader> list(Repository repository) throws IOException {
    return known(repository.log(Names.ADMIN)).stream().map(Known::header).toList();
  }

  private Optional<Epoch> find(List<Known> epochs, List<? extends Recipient> owners)
      throws IOException {
    Optional<Known> newest = newest(epochs, fingerprints(owners));
    return newest.isPresent()
        ? Optional.of(read(newest.get(), owners.get(0).format()))
        : Optional.empty();
  }

  private static Optional<Known> newest(List<Known> epochs, Set<String> owners) {
    return epochs.stream().filter(e -> e.isFor(owners)).reduce((older, newer) -> newer);
  }

  private static List<Known> known(LogView admin) {
    return known(admin.entries());
  }

  /** Whoever is trusted in the log of keys may add a reader to an epoch, whoever made that. */
  private static List<Known> known(List<Standing> entries) {
    Map<String, Known> epochs = new LinkedHashMap<>();
    for (Standing standing : entries) {
      Entry entry = standing.entry();
      String id = entry.field("epoch").orElse("");
      String recipient = entry.field("recipient").orElse("");
      boolean isEpoch =
          standing.isTrusted()
              && entry.kind().equals(KIND)
              && entry.required().isEmpty()
              && id.equals(idOf(recipient));
      if (isEpoch) {
        Known known =
            epochs.computeIfAbsent(id, i -> new Known(entry, new TreeSet<>(), new ArrayList<>()));
        known.readers().addAll(entry.fields("for"));
        known.keys().addAll(entry.lines());
      }
    }
    return List.copyOf(epochs.values());
  }

  private Set<String> fingerprints(List<? extends Recipient> owners) {
    TreeSet<String> fingerprints = new TreeSet<>();
    owners.forEach(o -> fingerprints.add(o.fingerprint(keys.chunkIdKey())));
    return fingerprints;
  }

  private Epoch read(Known known, SealedFormat format) throws IOException {
    if (known.keys().isEmpty()) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED, known.first() + " names no key object");
    }
    List<String> wrapped = new ArrayList<>();
    for (Entry.Line line : known.keys()) {
      wrapped.add(Base64.getEncoder().encodeToString(read(line)));
    }
    return new Epoch(known.id(), format.recipient(known.recipient()), wrapped);
  }

  private byte[] read(Entry.Line line) throws IOException {
    byte[] wrapped = repository.store().read(ObjectName.of(line.path()), MAX_KEY_BYTES);
    if (!Digest.ofContent(wrapped).equals(line.stored())) {
      throw new BackupException.Corrupt(
          CoreFailure.CORRUPT_OBJECT,
          "%s has the stored digest %s, expected %s"
              .formatted(line.path(), Digest.ofContent(wrapped), line.stored()));
    }
    return wrapped;
  }

  /**
   * Begins an epoch, also where there is one for these recipients.
   *
   * @param owners recipients that mix, and any number of passphrases
   * @throws BackupException.Crypto BAD_KEY if they do not mix
   */
  public EpochHeader begin(List<? extends Recipient> owners) throws IOException {
    Epoch epoch = begin(owners, now -> false).orElseThrow();
    return require(epoch.id()).header();
  }

  private Known require(String epoch) throws IOException {
    return known(repository.log(Names.ADMIN)).stream()
        .filter(e -> e.id().equals(epoch))
        .findFirst()
        .orElseThrow(
            () ->
                new BackupException.Refused(
                    CoreFailure.NOT_FOUND, "there is no epoch '%s'".formatted(epoch)));
  }

  /** Says whether there is no need for an epoch any more. */
  @FunctionalInterface
  private interface Needless {
    boolean isNeedless(LogView now) throws IOException;
  }

  /** A new epoch; empty if somebody else made it needless meanwhile. */
  private Optional<Epoch> begin(List<? extends Recipient> owners, Needless needless)
      throws IOException {
    List<List<Recipient>> groups = groups(owners);
    SealedFormat format = groups.get(0).get(0).format();
    try (Secret identity = format.newIdentity()) {
      Recipient recipient = format.recipientOf(identity);
      List<Line> lines = new ArrayList<>();
      for (List<Recipient> group : groups) {
        lines.add(store(idOf(recipient.text()), wrap(format, identity, group), lines.size() + 1));
      }
      Epoch fresh =
          new Epoch(idOf(recipient.text()), recipient, lines.stream().map(Line::wrapped).toList());
      Optional<Entry> begun =
          commit(fresh.id(), recipient.text(), fingerprints(owners), lines, needless);
      return begun.map(entry -> fresh);
    }
  }

  /**
   * Lets more owners open an epoch: all that was and will be backed up in it. Nothing else changes.
   *
   * @param by opens the epoch now; stays the caller's
   * @throws BackupException.Refused NOT_FOUND if there is no such epoch
   * @throws BackupException.Crypto WRONG_KEY if the identity does not open it
   */
  public EpochHeader rewrap(String epoch, Identity by, List<? extends Recipient> more)
      throws IOException {
    Known known = require(epoch);
    List<Recipient> added = new ArrayList<>(more);
    added.removeIf(r -> known.readers().contains(r.fingerprint(keys.chunkIdKey())));
    if (added.isEmpty()) {
      return known.header();
    }
    SealedFormat format = by.format();
    try (Secret identity = opened(read(known, format).keyFields(), by)) {
      requireOf(format.recipientOf(identity), epoch);
      List<Line> lines = new ArrayList<>();
      int number = 2;
      for (List<Recipient> group : groups(added)) {
        lines.add(store(epoch, wrap(format, identity, group), number));
        number++;
      }
      commit(epoch, known.recipient(), fingerprints(added), lines, now -> false);
    }
    return require(epoch).header();
  }

  private static void requireOf(Recipient recipient, String epoch) throws BackupException {
    if (!idOf(recipient.text()).equals(epoch)) {
      throw new BackupException.Corrupt(
          CoreFailure.CORRUPT_OBJECT, "the sealed key of epoch %s is another's".formatted(epoch));
    }
  }

  /** A stored key. */
  private record Line(ObjectName name, Digest stored, String wrapped) {
    static Line of(ObjectName name, byte[] sealed) {
      return new Line(name, Digest.ofContent(sealed), Base64.getEncoder().encodeToString(sealed));
    }
  }

  /** Under the first free number: what a killed run left stays where it is, and means nothing. */
  private Line store(String epoch, byte[] sealed, int from) throws IOException {
    for (int number = from; ; number++) {
      ObjectName name = Names.epochKey(epoch, number);
      if (Arrays.equals(repository.store().create(name, sealed, MAX_KEY_BYTES), sealed)) {
        return Line.of(name, sealed);
      }
    }
  }

  private Optional<Entry> commit(
      String epoch, String recipient, Set<String> readers, List<Line> lines, Needless needless)
      throws IOException {
    return repository.commit(
        Names.ADMIN,
        keys,
        random,
        now -> {
          if (needless.isNeedless(now)) {
            return Optional.empty();
          }
          Entry.Draft draft = new Entry.Draft(KIND).field("epoch", epoch);
          draft.field("recipient", recipient);
          readers.forEach(f -> draft.field("for", f));
          lines.forEach(l -> draft.line(l.stored(), l.name().value()));
          return Optional.of(draft);
        });
  }

  /** Those that share an object, and each passphrase for itself, as age wants it. */
  private static List<List<Recipient>> groups(List<? extends Recipient> owners) {
    List<Recipient> together = new ArrayList<>();
    List<List<Recipient>> groups = new ArrayList<>();
    for (Recipient owner : owners) {
      if (owner.text().equals(PASSPHRASE)) {
        groups.add(List.of(owner));
      } else {
        together.add(owner);
      }
    }
    if (!together.isEmpty()) {
      groups.add(0, together);
    }
    return groups;
  }

  private static String idOf(String recipient) {
    return Digest.ofContent(recipient.getBytes(StandardCharsets.US_ASCII)).hex().substring(0, 16);
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
    for (Identity owner : owners) {
      try (Secret secret = opened(keyFields, owner)) {
        return owner.format().identity(secret);
      } catch (BackupException.Crypto e) {
        wrong = e;
      }
    }
    if (wrong == null) {
      throw new IllegalArgumentException("no identity was given");
    }
    throw wrong;
  }

  /** The text of an epoch's identity. The caller closes. */
  private static Secret opened(List<String> keyFields, Identity owner) throws IOException {
    BackupException.Crypto wrong = null;
    for (String field : keyFields) {
      try {
        return unwrap(owner.format(), decode(field), List.of(owner));
      } catch (BackupException.Crypto e) {
        wrong = e;
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

  private static Secret unwrap(SealedFormat format, byte[] wrapped, List<? extends Identity> owners)
      throws IOException {
    byte[] text;
    try (InputStream in = format.open(new ByteArrayInputStream(wrapped), owners)) {
      text = DigestingBuffer.readBounded(in, MAX_KEY_BYTES, "the key of an epoch");
    }
    CharBuffer characters = StandardCharsets.US_ASCII.decode(ByteBuffer.wrap(text));
    Arrays.fill(text, (byte) 0);
    try {
      return Secret.of(characters);
    } finally {
      Arrays.fill(characters.array(), '\0');
    }
  }

  /**
   * The keys of the same epochs that were sealed later, and that the entry of a snapshot does not
   * carry. Whoever could plant one gains nothing: it has to be the private half of what the epoch
   * is called by, which {@link #openLater} checks.
   */
  public static Optional<Identity> openLater(
      Repository repository, List<String> keyFields, List<? extends Identity> owners)
      throws IOException {
    Set<String> epochs = new TreeSet<>();
    keyFields.forEach(f -> epochs.add(f.substring(0, Math.max(0, f.indexOf(' ')))));
    for (String epoch : epochs) {
      for (String field : repository.laterKeys(epoch, keyFields)) {
        for (Identity owner : owners) {
          Optional<Identity> opened = openIfOf(epoch, field, owner);
          if (opened.isPresent()) {
            return opened;
          }
        }
      }
    }
    return Optional.empty();
  }

  /**
   * The private key of an epoch, sealed once more for others: as objects that a store can hold
   * beside the keys it has, and that mean something by what they hold alone.
   *
   * @param keyFields {@code <epoch> <base64>} of one epoch
   * @param by at least one, of which one opens it
   * @throws BackupException.Crypto WRONG_KEY if none of them opens it
   */
  public static List<byte[]> sealedFor(
      Repository repository,
      List<String> keyFields,
      List<? extends Identity> by,
      List<? extends Recipient> more)
      throws IOException {
    List<String> all = new ArrayList<>(keyFields);
    String epoch = keyFields.get(0).substring(0, Math.max(0, keyFields.get(0).indexOf(' ')));
    all.addAll(repository.laterKeys(epoch, keyFields));
    BackupException.Crypto wrong = null;
    for (Identity owner : by) {
      try (Secret secret = opened(all, owner)) {
        SealedFormat format = owner.format();
        requireOf(format.recipientOf(secret), epoch);
        List<byte[]> sealed = new ArrayList<>();
        for (List<Recipient> group : groups(more)) {
          sealed.add(wrap(format, secret, group));
        }
        return sealed;
      } catch (BackupException.Crypto e) {
        wrong = e;
      }
    }
    throw wrong == null
        ? new BackupException.Crypto(
            CoreFailure.KEY_UNAVAILABLE,
            "sealing the key of an epoch for others needs an identity; this process has none")
        : wrong;
  }

  private static Optional<Identity> openIfOf(String epoch, String field, Identity owner)
      throws IOException {
    try (Secret secret = opened(List.of(field), owner)) {
      return idOf(owner.format().recipientOf(secret).text()).equals(epoch)
          ? Optional.of(owner.format().identity(secret))
          : Optional.empty();
    } catch (BackupException.Crypto | BackupException.Corrupt e) {
      // Another's, or planted, or damaged: as if it were not there.
      return Optional.empty();
    }
  }
}
