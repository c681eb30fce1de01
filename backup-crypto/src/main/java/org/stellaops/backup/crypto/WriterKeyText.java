package org.stellaops.backup.crypto;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.crypto.internal.age.Utf8;
import org.stellaops.backup.crypto.internal.sshsig.Ed25519Key;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.WriterId;

/** What a writer key file says, read and written ({@code docs/format/writer-key.md}). */
final class WriterKeyText implements AutoCloseable {
  /** Several times what a file has. */
  static final int MAX_BYTES = 4096;

  private static final String VERSION = "stella-backup writer key 1";
  private static final String VERSION_FAMILY = "stella-backup writer key ";
  private static final String COMMENT =
      "# Keep this file like a password. It signs backups; it cannot read them.";
  private static final int KEY_BYTES = 32;

  /** As many as fit the file. */
  private static final int MAX_FORMER = 24;

  private static final Pattern REPOSITORY = Pattern.compile("[A-Za-z0-9._-]{1,120}");

  private final WriterId id;
  private final Ed25519Key signing;
  private final AgeIdentity state;
  private final byte[] chunkIdKey;
  private final @Nullable String repository;
  private final List<String> former;

  private WriterKeyText(
      WriterId id,
      Ed25519Key signing,
      AgeIdentity state,
      byte[] chunkIdKey,
      @Nullable String repository,
      List<String> former) {
    this.id = id;
    this.signing = signing;
    this.state = state;
    this.chunkIdKey = chunkIdKey;
    this.repository = repository;
    this.former = List.copyOf(former);
  }

  /** New keys. */
  static WriterKeyText generate(@Nullable String name) throws IOException {
    Ed25519Key signing = Ed25519Key.generate();
    byte[] chunkIdKey = new byte[KEY_BYTES];
    new SecureRandom().nextBytes(chunkIdKey);
    var id = new WriterId(name == null ? defaultName(signing) : name, signing.publicText());
    return new WriterKeyText(id, signing, AgeIdentity.generate(), chunkIdKey, null, List.of());
  }

  /**
   * @param where begins each message
   * @throws BackupException.Crypto BAD_KEY; the message holds nothing secret
   */
  static WriterKeyText parse(byte[] file, String where) throws IOException {
    var lines = new Lines(file, where);
    lines.requireVersion();
    String name = lines.text("writer");
    String publicKey = lines.text("public-key");
    WriterId id = writerId(name, publicKey, lines);
    byte[] seed = lines.base64("signing-key");
    Ed25519Key signing = signingKey(seed, publicKey, lines);
    AgeIdentity state = stateIdentity(lines);
    byte[] chunkIdKey = lines.base64("chunk-id-key");
    String repository = lines.isAtEnd() ? null : lines.text("repository");
    if (repository != null && !REPOSITORY.matcher(repository).matches()) {
      throw lines.bad("is no repository id");
    }
    List<String> former = new ArrayList<>();
    while (!lines.isAtEnd() && former.size() < MAX_FORMER) {
      String key = lines.text("former-public-key");
      writerId(name, key, lines);
      former.add(key);
    }
    lines.requireEnd();
    return new WriterKeyText(id, signing, state, chunkIdKey, repository, former);
  }

  /**
   * @throws IllegalArgumentException if it is no name of a writer
   */
  static void requireName(String name) {
    var unused = new WriterId(name, "ssh-ed25519 " + "A".repeat(68)); // it knows the rule
  }

  WriterId id() {
    return id;
  }

  Ed25519Key signing() {
    return signing;
  }

  AgeIdentity state() {
    return state;
  }

  /** Not a copy. */
  byte[] chunkIdKey() {
    return chunkIdKey;
  }

  Optional<String> repository() {
    return Optional.ofNullable(repository);
  }

  /** The same keys, bound; closing either closes both. */
  WriterKeyText boundTo(String repositoryId) {
    if (!REPOSITORY.matcher(repositoryId).matches()) {
      throw new IllegalArgumentException(
          "a repository id is 1 to 120 of A-Z a-z 0-9 . _ -: " + repositoryId);
    }
    return new WriterKeyText(id, signing, state, chunkIdKey, repositoryId, former);
  }

  /** Public keys that signed before, newest first. */
  List<String> former() {
    return former;
  }

  /**
   * The same writer with another signing key; closing either closes what they share.
   *
   * @throws BackupException.Refused TOO_LARGE if it had too many keys already
   */
  WriterKeyText withNext(Ed25519Key next) throws BackupException.Refused {
    List<String> all = new ArrayList<>(former);
    all.add(0, id.publicKey());
    if (all.size() > MAX_FORMER) {
      throw new BackupException.Refused(
          CoreFailure.TOO_LARGE,
          "writer %s had %d signing keys; hint: begin a new writer name"
              .formatted(id.name(), all.size()));
    }
    var nextId = new WriterId(id.name(), next.publicText());
    return new WriterKeyText(nextId, next, state, chunkIdKey, repository, all);
  }

  /** The file; the caller wipes it. */
  byte[] toBytes() {
    ByteBuffer file = ByteBuffer.allocate(MAX_BYTES);
    put(file, VERSION);
    put(file, COMMENT);
    put(file, "writer: " + id.name());
    put(file, "public-key: " + id.publicKey());
    byte[] seed = signing.seed();
    put(file, "signing-key: ", Base64.getEncoder().encode(seed));
    Arrays.fill(seed, (byte) 0);
    try (Secret identity = state.text()) {
      put(file, "state-identity: ", Utf8.encode(identity));
    }
    put(file, "chunk-id-key: ", Base64.getEncoder().encode(chunkIdKey));
    repository().ifPresent(bound -> put(file, "repository: " + bound));
    former.forEach(key -> put(file, "former-public-key: " + key));
    byte[] bytes = Arrays.copyOf(file.array(), file.position());
    Arrays.fill(file.array(), (byte) 0);
    return bytes;
  }

  @Override
  public void close() {
    signing.wipe();
    state.close();
    Arrays.fill(chunkIdKey, (byte) 0);
  }

  private static void put(ByteBuffer file, String line) {
    file.put(line.getBytes(UTF_8)).put((byte) '\n');
  }

  /** The value is wiped. */
  private static void put(ByteBuffer file, String key, byte[] value) {
    file.put(key.getBytes(UTF_8)).put(value).put((byte) '\n');
    Arrays.fill(value, (byte) 0);
  }

  /** As {@code ssh-keygen -l} digests a key, in hexadecimal. */
  private static String defaultName(Ed25519Key key) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.publicBlob());
      return "writer-" + HexFormat.of().formatHex(digest, 0, 4);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform must support SHA-256", e);
    }
  }

  private static WriterId writerId(String name, String publicKey, Lines lines)
      throws BackupException.Crypto {
    try {
      return new WriterId(name, publicKey);
    } catch (IllegalArgumentException e) {
      throw lines.bad("and the one before are not a writer's name and public key");
    }
  }

  private static Ed25519Key signingKey(byte[] seed, String publicKey, Lines lines)
      throws IOException {
    try {
      return Ed25519Key.of(seed, publicKey)
          .orElseThrow(() -> lines.bad("is not the private half of the public key"));
    } finally {
      Arrays.fill(seed, (byte) 0);
    }
  }

  private static AgeIdentity stateIdentity(Lines lines) throws IOException {
    byte[] value = lines.value("state-identity");
    try (Secret text = Utf8.decode(value)) {
      return AgeIdentity.parse(text);
    } catch (IOException e) {
      throw lines.bad("is no age identity");
    } finally {
      Arrays.fill(value, (byte) 0);
    }
  }

  /** The lines that are no comments, in the order in which they must come. */
  private static final class Lines {
    private final byte[] file;
    private final String where;
    private int at;
    private int number;

    Lines(byte[] file, String where) {
      this.file = file;
      this.where = where;
    }

    void requireVersion() throws BackupException.Crypto {
      String found = new String(next(), UTF_8);
      if (found.equals(VERSION)) {
        return;
      }
      throw bad(
          found.startsWith(VERSION_FAMILY)
              ? "names a version that this library does not know; '%s' expected".formatted(VERSION)
              : "is not '%s'".formatted(VERSION));
    }

    /** What is public. */
    String text(String key) throws BackupException.Crypto {
      return new String(value(key), UTF_8);
    }

    byte[] base64(String key) throws BackupException.Crypto {
      byte[] value = value(key);
      try {
        byte[] bytes = Base64.getDecoder().decode(value);
        if (bytes.length == KEY_BYTES && Arrays.equals(Base64.getEncoder().encode(bytes), value)) {
          return bytes;
        }
      } catch (IllegalArgumentException e) {
        // Said below.
      } finally {
        Arrays.fill(value, (byte) 0);
      }
      throw bad("does not hold 32 bytes in base64");
    }

    byte[] value(String key) throws BackupException.Crypto {
      byte[] start = (key + ": ").getBytes(UTF_8);
      byte[] line = next();
      try {
        if (line.length <= start.length
            || !Arrays.equals(line, 0, start.length, start, 0, start.length)) {
          throw bad("does not begin with '%s: '".formatted(key));
        }
        return Arrays.copyOfRange(line, start.length, line.length);
      } finally {
        Arrays.fill(line, (byte) 0);
      }
    }

    boolean isAtEnd() {
      passComments();
      return at == file.length;
    }

    void requireEnd() throws BackupException.Crypto {
      if (!isAtEnd()) {
        number++;
        throw bad("was not expected");
      }
    }

    BackupException.Crypto bad(String how) {
      return new BackupException.Crypto(
          CoreFailure.BAD_KEY, "%s: line %d %s".formatted(where, number, how));
    }

    private byte[] next() throws BackupException.Crypto {
      passComments();
      number++;
      int end = lineEnd();
      if (end == file.length) {
        throw bad("is missing or has no line end");
      }
      byte[] line = Arrays.copyOfRange(file, at, end);
      at = end + 1;
      return line;
    }

    private void passComments() {
      while (at < file.length && file[at] == '#') {
        at = Math.min(lineEnd() + 1, file.length);
        number++;
      }
    }

    private int lineEnd() {
      int end = at;
      while (end < file.length && file[end] != '\n') {
        end++;
      }
      return end;
    }
  }
}
