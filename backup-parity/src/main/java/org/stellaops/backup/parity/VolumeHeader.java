package org.stellaops.backup.parity;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.internal.json.Json;
import org.stellaops.backup.internal.json.JsonObject;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;

/**
 * How a parity volume begins: a line with length and digest of the JSON that follows. Byte by byte
 * in {@code docs/format/parity.md}.
 *
 * @param group the files, all of them, so that one volume tells the group
 * @param index which volume of the group this is, from 0
 * @param volumes how many the group had when it was written
 */
record VolumeHeader(Group group, int index, int volumes) {
  private static final int FORMAT = 1;
  private static final String WORD = "stella-backup-parity ";
  private static final int MAX_JSON_BYTES = 1 << 20;
  private static final Pattern LINE =
      Pattern.compile("stella-backup-parity 1 ([0-9]{10}) ([0-9a-f]{64})\n");
  private static final int LINE_BYTES = "stella-backup-parity 1 ".length() + 10 + 1 + 64 + 1;

  VolumeHeader {
    if (index < 0
        || index >= volumes
        || group.members().size() + volumes > ReedSolomon.MAX_SHARDS) {
      throw new IllegalArgumentException(
          "volume %d of %d for %d files".formatted(index, volumes, group.members().size()));
    }
  }

  /** Whether a file that begins so is a volume of another version, which we leave alone. */
  static boolean isForeign(byte[] beginning) {
    String text = new String(beginning, StandardCharsets.ISO_8859_1);
    return text.startsWith(WORD) && !text.startsWith(WORD + FORMAT + " ");
  }

  byte[] encode() {
    byte[] json = Json.write(fields());
    if (json.length > MAX_JSON_BYTES) {
      throw new AssertionError("255 names of 1024 bytes fit into the largest header");
    }
    String line =
        "stella-backup-parity 1 %010d %s\n".formatted(json.length, Digest.ofContent(json));
    byte[] all = new byte[LINE_BYTES + json.length];
    System.arraycopy(line.getBytes(StandardCharsets.US_ASCII), 0, all, 0, LINE_BYTES);
    System.arraycopy(json, 0, all, LINE_BYTES, json.length);
    return all;
  }

  private Map<String, Object> fields() {
    List<Map<String, Object>> members = new ArrayList<>();
    for (Member member : group.members()) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("name", member.name());
      fields.put("size", member.bytes());
      fields.put("sha256", member.stored().hex());
      members.add(fields);
    }
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("format", FORMAT);
    fields.put("index", index);
    fields.put("volumes", volumes);
    fields.put("members", members);
    return fields;
  }

  /** Length of what {@link #encode} makes; it does not depend on the digests. */
  int bytes() {
    return encode().length;
  }

  /** Length of the whole volume. */
  long volumeBytes() {
    return bytes() + group.parityBytes();
  }

  /**
   * Reads a header from the beginning of a volume.
   *
   * @throws BackupException.Corrupt if it is not one, to the last byte
   */
  static VolumeHeader read(InputStream in, String what) throws IOException {
    try {
      DataInputStream data = new DataInputStream(in);
      byte[] line = new byte[LINE_BYTES];
      data.readFully(line);
      Matcher match = LINE.matcher(new String(line, StandardCharsets.ISO_8859_1));
      if (!match.matches() || Long.parseLong(match.group(1)) > MAX_JSON_BYTES) {
        throw malformed(what + " does not begin like a parity volume");
      }
      byte[] json = new byte[Integer.parseInt(match.group(1))];
      data.readFully(json);
      if (!Digest.ofContent(json).hex().equals(match.group(2))) {
        throw malformed(what + ": its header is not what its first line says");
      }
      VolumeHeader header = parse(Json.read(json, what));
      if (header.bytes() != LINE_BYTES + json.length) {
        throw malformed(what + ": its header is not written as headers are");
      }
      return header;
    } catch (EOFException e) {
      throw malformed(what + " ends within its header");
    } catch (IllegalArgumentException e) {
      throw malformed(what + ": " + e.getMessage());
    }
  }

  private static VolumeHeader parse(JsonObject json) throws BackupException {
    if (json.number("format") != FORMAT) {
      throw malformed("parity volume of format " + json.number("format"));
    }
    List<Member> members = new ArrayList<>();
    for (JsonObject member : json.objects("members")) {
      members.add(
          new Member(
              member.text("name"), member.number("size"), Digest.parse(member.text("sha256"))));
    }
    return new VolumeHeader(
        new Group(members), small(json.number("index")), small(json.number("volumes")));
  }

  private static int small(long number) {
    return (int) Math.min(number, ReedSolomon.MAX_SHARDS + 1);
  }

  private static BackupException.Corrupt malformed(String message) {
    return new BackupException.Corrupt(CoreFailure.MALFORMED, message);
  }
}
