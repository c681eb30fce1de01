package org.stellaops.backup.internal.tar;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;
import org.stellaops.backup.internal.json.Json;
import org.stellaops.backup.internal.json.JsonLinesReader;
import org.stellaops.backup.internal.json.JsonObject;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.ArtifactOutput;

/**
 * Table of contents of an archive: NDJSON, one line per member in the archive's order, {@code
 * {"path":…,"type":"file","offset":…,"size":…,"sha256":…}}. The offset is that of the member's
 * first byte in the archive, so that one file is one range of it.
 */
public final class TarIndex {
  /** What a line may say beside the place and digest of its member. */
  private static final List<String> MORE = List.of("mode", "mtime", "target", "origin", "version");

  private TarIndex() {}

  /**
   * One member.
   *
   * @param path its name, without a final {@code /}
   * @param type what it is
   * @param offset of its first byte in the archive
   * @param sizeBytes how many bytes
   * @param content digest of these, the plain bytes; that of nothing for what is no file
   * @param more whatever else the source wants to know later
   */
  public record Line(
      String path,
      TarMember.Type type,
      long offset,
      long sizeBytes,
      Digest content,
      SortedMap<String, String> more) {
    public Line {
      more = Collections.unmodifiableSortedMap(new TreeMap<>(more));
      if (!MORE.containsAll(more.keySet())) {
        throw new IllegalArgumentException("an index has no such fields: " + more.keySet());
      }
    }

    /** The name as it stands in the archive, by which lines are in order. */
    public String nameInArchive() {
      return type == TarMember.Type.DIRECTORY ? path + "/" : path;
    }
  }

  /**
   * Holds the lines until the archive is written, because a session takes one artifact at a time.
   * Deflated, a line is some 60 bytes, half of which is the digest: 60 MB for a million files.
   */
  public static final class Spool {
    private final Blocks blocks = new Blocks();
    private final Deflater deflater = new Deflater(Deflater.BEST_SPEED);
    private final DeflaterOutputStream deflated = new DeflaterOutputStream(blocks, deflater, 8192);

    /** Adds a line. */
    public void add(Line line) throws IOException {
      deflated.write(encode(line));
      deflated.write('\n');
    }

    /** Writes all lines; nothing can be added afterwards. */
    public void writeTo(ArtifactOutput out) throws IOException {
      deflated.finish();
      deflater.end();
      try (InputStream lines = new InflaterInputStream(blocks.open())) {
        lines.transferTo(out);
      }
    }
  }

  /** Bytes in memory that grow without being copied. */
  private static final class Blocks extends OutputStream {
    private final List<byte[]> blocks = new ArrayList<>();

    @Override
    public void write(int b) {
      blocks.add(new byte[] {(byte) b});
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      if (length == 0) {
        return;
      }
      byte[] copy = new byte[length];
      System.arraycopy(bytes, offset, copy, 0, length);
      blocks.add(copy);
    }

    InputStream open() {
      return new InputStream() {
        private int block;
        private int at;

        @Override
        public int read() {
          byte[] one = new byte[1];
          return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] into, int offset, int length) {
          if (block == blocks.size()) {
            return -1;
          }
          byte[] from = blocks.get(block);
          int n = Math.min(length, from.length - at);
          System.arraycopy(from, at, into, offset, n);
          at += n;
          if (at == from.length) {
            block++;
            at = 0;
          }
          return n;
        }
      };
    }
  }

  private static byte[] encode(Line line) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("path", line.path());
    fields.put("type", line.type().word());
    fields.put("offset", line.offset());
    fields.put("size", line.sizeBytes());
    fields.put("sha256", line.content().hex());
    fields.putAll(line.more());
    return Json.write(fields);
  }

  /** Lines in order, of one index or of several. */
  public interface Lines extends Closeable {
    /**
     * The next line; empty when everything is read.
     *
     * @throws BackupException.Corrupt MALFORMED
     */
    Optional<Line> next() throws IOException;
  }

  /** Reads an index and checks that its lines are in order. Closes the stream it was given. */
  public static final class Reader implements Lines {
    private final JsonLinesReader lines;
    private final String what;
    private String previous = "";

    /**
     * @param what named in the messages of failures
     */
    public Reader(InputStream in, String what) {
      this.lines = new JsonLinesReader(in, what);
      this.what = what;
    }

    @Override
    public Optional<Line> next() throws IOException {
      Optional<JsonObject> fields = lines.next();
      if (fields.isEmpty()) {
        return Optional.empty();
      }
      Line line = decode(fields.get());
      if (TarMember.BY_BYTES.compare(previous, line.nameInArchive()) >= 0) {
        throw malformed("'%s' stands behind '%s'".formatted(line.nameInArchive(), previous));
      }
      previous = line.nameInArchive();
      return Optional.of(line);
    }

    private Line decode(JsonObject fields) throws BackupException {
      SortedMap<String, String> more = new TreeMap<>();
      for (String key : MORE) {
        fields.optionalText(key).ifPresent(value -> more.put(key, value));
      }
      try {
        return new Line(
            fields.text("path"),
            type(fields.text("type")),
            fields.number("offset"),
            fields.number("size"),
            Digest.parse(fields.text("sha256")),
            more);
      } catch (IllegalArgumentException e) {
        throw new BackupException.Corrupt(
            CoreFailure.MALFORMED, what + ": no line of an index: " + e.getMessage(), e);
      }
    }

    private static TarMember.Type type(String word) {
      for (TarMember.Type type : TarMember.Type.values()) {
        if (type.word().equals(word)) {
          return type;
        }
      }
      throw new IllegalArgumentException("unknown type");
    }

    private BackupException.Corrupt malformed(String how) {
      return new BackupException.Corrupt(CoreFailure.MALFORMED, what + ": " + how);
    }

    @Override
    public void close() throws IOException {
      lines.close();
    }
  }
}
