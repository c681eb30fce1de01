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
 * What {@code sink.json} says, and {@code promoted.json} of a copy: which repository a store
 * belongs to, and as what. They are not signed, so they decide only how a gap in a log is told, and
 * that writers stay away from copies.
 *
 * @param repository id
 * @param written role of the store when it was made
 * @param label for humans, {@code [A-Za-z0-9._-]{0,120}}
 * @param promotion how a copy became the primary; empty if it did not
 */
public record SinkMarker(
    String repository, StoreRole written, String label, Optional<Promotion> promotion) {
  static final int MAX_BYTES = 64 << 10;
  private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9._-]{0,120}");

  public SinkMarker {
    if (!LABEL.matcher(label).matches()) {
      throw new IllegalArgumentException("label " + label + ", expected " + LABEL);
    }
  }

  /** Of a store that nobody promoted. */
  public SinkMarker(String repository, StoreRole role, String label) {
    this(repository, role, label, Optional.empty());
  }

  /** What the store is now. */
  public StoreRole role() {
    return promotion.isPresent() ? StoreRole.PRIMARY : written;
  }

  /** Of the store that writers commit to. */
  static SinkMarker primary(String repository) {
    return new SinkMarker(repository, StoreRole.PRIMARY, "");
  }

  /** As the file is written: one line without a line end. */
  public byte[] bytes() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("repository", repository);
    json.put("role", written.name().toLowerCase(Locale.ROOT));
    json.put("label", label);
    return Json.write(json);
  }

  /** What the file of a store says; empty if there is none. */
  public static Optional<SinkMarker> of(StoreAccess store) throws IOException {
    Optional<byte[]> there = store.find(Names.SINK, MAX_BYTES);
    if (there.isEmpty()) {
      return Optional.empty();
    }
    SinkMarker made = parse(there.get());
    return Optional.of(
        made.written == StoreRole.COPY
            ? new SinkMarker(made.repository, made.written, made.label, promoted(made, store))
            : made);
  }

  /** Only what was made as a copy is ever promoted. */
  private static Optional<Promotion> promoted(SinkMarker made, StoreAccess store)
      throws IOException {
    return Promotion.of(store).filter(p -> p.repository().equals(made.repository));
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
