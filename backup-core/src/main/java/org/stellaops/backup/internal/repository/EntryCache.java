package org.stellaops.backup.internal.repository;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.ref.SoftReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.StoredObject;

/**
 * Entries that were read and verified before, in memory and in a folder: one file for each log,
 * replaced as a whole. An entry never changes, so it is read from the store again only if the
 * store's listing says that its object is another one. Where a listing has no versions nothing is
 * taken from here.
 *
 * <p>It remembers which key signed an entry, and never whether that key is trusted: what the reader
 * pins is asked each time. A file that is torn or damaged is forgotten. Its checksum stops
 * accidents and no attacker: who can write to the folder can make listings show entries that nobody
 * signed, as he can make them forget heads. So whatever is restored, verified, checked or deleted
 * is decided by what the store has, and not by what stands here. From any thread, and any process.
 */
final class EntryCache {
  private static final Logger LOG = LoggerFactory.getLogger(EntryCache.class);
  private static final int MAGIC = 0x53424531;
  private static final int BUFFER_BYTES = 1 << 16;

  /** {@code cache}, that of the repository, and in it that of the entries. */
  private static final int FOLDERS = 3;

  private final @Nullable Path folder;
  private final String repository;
  private final boolean isRead;
  private final Map<String, SoftReference<Map<Long, Cached>>> loaded = new ConcurrentHashMap<>();

  private EntryCache(@Nullable Path folder, String repository, boolean isRead) {
    this.folder = folder;
    this.repository = repository;
    this.isRead = isRead;
  }

  /**
   * The cache of one repository.
   *
   * @param folder that is made when it is needed; without one, memory only
   */
  static EntryCache in(Optional<Path> folder, String repository) {
    return new EntryCache(folder.orElse(null), repository, true);
  }

  /** The same, which gives nothing and takes nothing. */
  EntryCache unread() {
    return new EntryCache(folder, repository, false);
  }

  /**
   * An entry, and the object that it was read from.
   *
   * @param version as the store's listing gave it
   */
  record Cached(Entry entry, long lengthBytes, String version) {
    /** Whether the object is still the one that was read. */
    boolean isOf(StoredObject object) {
      return !version.isEmpty()
          && version.equals(object.version())
          && lengthBytes == object.lengthBytes();
    }
  }

  /** What is known of a log, by slot. */
  Map<Long, Cached> of(String log) {
    if (!isRead) {
      return Map.of();
    }
    SoftReference<Map<Long, Cached>> before = loaded.get(log);
    Map<Long, Cached> known = before == null ? null : before.get();
    if (known == null) {
      known = load(log);
      loaded.put(log, new SoftReference<>(known));
    }
    return known;
  }

  private Map<Long, Cached> load(String log) {
    if (folder == null) {
      return Map.of();
    }
    Path file = folder.resolve(log);
    try {
      return read(file, log);
    } catch (NoSuchFileException e) {
      return Map.of();
    } catch (IOException | IllegalArgumentException e) {
      LOG.warn("{} cannot be read and is made anew: {}", file, e.toString());
      return Map.of();
    }
  }

  private Map<Long, Cached> read(Path file, String log) throws IOException {
    CRC32C sum = new CRC32C();
    long length = Files.size(file);
    try (DataInputStream in =
        new DataInputStream(
            new CheckedInputStream(
                new BufferedInputStream(Files.newInputStream(file), BUFFER_BYTES), sum))) {
      if (in.readInt() != MAGIC || !in.readUTF().equals(repository) || !in.readUTF().equals(log)) {
        throw new IOException("is of something else");
      }
      int count = in.readInt();
      Map<Long, Cached> entries = new HashMap<>();
      String key = "";
      for (int i = 0; i < count; i++) {
        Cached cached = readEntry(in, key, length, file.toString());
        key = cached.entry().publicKey();
        entries.put(cached.entry().sequence(), cached);
      }
      long expected = sum.getValue();
      if (in.readLong() != expected || in.read() >= 0) {
        throw new IOException("its checksum is another");
      }
      return Map.copyOf(entries);
    }
  }

  /**
   * @param key the one before it, which mostly is the same
   * @param most bytes that it can have
   */
  private static Cached readEntry(DataInputStream in, String key, long most, String what)
      throws IOException {
    long lengthBytes = in.readLong();
    String version = in.readUTF();
    byte[] digest = in.readNBytes(32);
    String signer = in.readUTF();
    int length = in.readInt();
    if (length < 0 || length > Math.min(most, Entry.MAX_BYTES)) {
      throw new IOException("an entry of %d bytes".formatted(length));
    }
    byte[] signed = new byte[length];
    in.readFully(signed);
    Entry entry =
        Entry.verified(
            Digest.of(digest),
            new String(signed, StandardCharsets.ISO_8859_1),
            signer.equals(key) ? key : signer,
            what);
    return new Cached(entry, lengthBytes, version);
  }

  /** Keeps what is in a log now, by slot. What cannot be written is read again the next time. */
  void keep(String log, Map<Long, Cached> entries) {
    if (!isRead) {
      return;
    }
    loaded.put(log, new SoftReference<>(Map.copyOf(entries)));
    if (folder == null) {
      return;
    }
    try {
      PrivateFiles.createDirectories(folder, FOLDERS);
      Path fresh = folder.resolve(log + "~" + UUID.randomUUID());
      try {
        write(fresh, log, entries.values());
        Files.move(
            fresh,
            folder.resolve(log),
            StandardCopyOption.ATOMIC_MOVE,
            StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(fresh);
      }
    } catch (IOException e) {
      LOG.warn("entries of {} are not kept in {}: {}", log, folder, String.valueOf(e.getMessage()));
    }
  }

  private void write(Path file, String log, Collection<Cached> entries) throws IOException {
    CRC32C sum = new CRC32C();
    try (OutputStream stored = PrivateFiles.create(file);
        DataOutputStream out =
            new DataOutputStream(
                new CheckedOutputStream(new BufferedOutputStream(stored, BUFFER_BYTES), sum))) {
      out.writeInt(MAGIC);
      out.writeUTF(repository);
      out.writeUTF(log);
      out.writeInt(entries.size());
      for (Cached cached : entries) {
        out.writeLong(cached.lengthBytes());
        out.writeUTF(cached.version());
        out.write(cached.entry().digest().bytes());
        out.writeUTF(cached.entry().publicKey());
        byte[] signed = cached.entry().signed().getBytes(StandardCharsets.ISO_8859_1);
        out.writeInt(signed.length);
        out.write(signed);
      }
      out.writeLong(sum.getValue());
    }
  }
}
