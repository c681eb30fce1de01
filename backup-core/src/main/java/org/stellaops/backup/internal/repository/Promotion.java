package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.stellaops.backup.internal.json.Json;
import org.stellaops.backup.internal.json.JsonObject;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.model.LogHead;

/**
 * What {@code promoted.json} says: that a copy is the primary now, and the newest slot of each log
 * that anybody knew to be taken then. What is missing up to there went with the former primary;
 * writers go on behind it, so that no slot is ever taken twice as far as anybody knows.
 *
 * @param repository id
 * @param heads newest known entry of each log, those that are not here among them
 */
public record Promotion(String repository, List<LogHead> heads) {
  /** Some hundred logs with long names. */
  static final int MAX_BYTES = 256 << 10;

  public Promotion {
    heads = List.copyOf(heads);
  }

  /** As the file is written: one line without a line end. */
  public byte[] bytes() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("repository", repository);
    json.put("heads", heads.stream().map(LogHead::toString).toList());
    return Json.write(json);
  }

  /** What the file of a store says; empty if there is none. */
  static Optional<Promotion> of(StoreAccess store) throws IOException {
    Optional<byte[]> there = store.find(Names.PROMOTED, MAX_BYTES);
    return there.isEmpty() ? Optional.empty() : Optional.of(parse(there.get()));
  }

  private static Promotion parse(byte[] bytes) throws IOException {
    JsonObject json = Json.read(bytes, Names.PROMOTED.value());
    List<LogHead> heads = new ArrayList<>();
    for (Object text : json.list("heads")) {
      try {
        heads.add(LogHead.parse(String.valueOf(text)));
      } catch (IllegalArgumentException e) {
        throw json.malformed("heads", "a log, a slot and a digest");
      }
    }
    return new Promotion(json.text("repository"), heads);
  }

  /** Where a log went on from. */
  public Optional<Head> head(String log) {
    return heads.stream()
        .filter(h -> h.log().equals(log))
        .findFirst()
        .map(h -> new Head(h.sequence(), h.entry()));
  }

  /** Whether this slot of a log may be missing. */
  boolean isBefore(String log, long slot) {
    return head(log).filter(h -> slot <= h.sequence()).isPresent();
  }

  /** One line for people. */
  @Override
  public String toString() {
    return new String(bytes(), StandardCharsets.UTF_8);
  }
}
