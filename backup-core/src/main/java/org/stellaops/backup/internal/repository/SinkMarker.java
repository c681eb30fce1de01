package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.stellaops.backup.internal.json.Json;
import org.stellaops.backup.internal.json.JsonObject;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.StoreRole;

/**
 * What {@code sink.json} says: which repository a store belongs to, and as what. It is not signed,
 * so it decides only how a gap in a log is told, and that writers stay away from copies.
 *
 * @param repository id
 * @param role of the store
 * @param label for humans, {@code [A-Za-z0-9._-]{0,120}}
 */
public record SinkMarker(String repository, StoreRole role, String label) {
  static final int MAX_BYTES = 64 << 10;
  private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9._-]{0,120}");

  public SinkMarker {
    if (!LABEL.matcher(label).matches()) {
      throw new IllegalArgumentException("label " + label + ", expected " + LABEL);
    }
  }

  /** Of the store that writers commit to. */
  static SinkMarker primary(String repository) {
    return new SinkMarker(repository, StoreRole.PRIMARY, "");
  }

  /** As the file is written: one line without a line end. */
  public byte[] bytes() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("repository", repository);
    json.put("role", role.name().toLowerCase(Locale.ROOT));
    json.put("label", label);
    return Json.write(json);
  }

  /** What the file of a store says; empty if there is none. */
  public static Optional<SinkMarker> of(StoreAccess store) throws IOException {
    Optional<byte[]> there = store.find(Names.SINK, MAX_BYTES);
    return there.isEmpty() ? Optional.empty() : Optional.of(parse(there.get()));
  }

  private static SinkMarker parse(byte[] bytes) throws IOException {
    JsonObject json = Json.read(bytes, Names.SINK.value());
    String role = json.text("role");
    for (StoreRole one : StoreRole.values()) {
      if (one.name().toLowerCase(Locale.ROOT).equals(role)) {
        String label = json.text("label");
        if (!LABEL.matcher(label).matches()) {
          throw json.malformed("label", LABEL.pattern());
        }
        return new SinkMarker(json.text("repository"), one, label);
      }
    }
    throw json.malformed("role", "primary, copy, archive or bundle");
  }

  /** The same; a file that is damaged is told by a check, and hides no snapshot. */
  static Optional<SinkMarker> readable(StoreAccess store) throws IOException {
    try {
      return of(store);
    } catch (BackupException.Corrupt e) {
      return Optional.empty();
    }
  }
}
