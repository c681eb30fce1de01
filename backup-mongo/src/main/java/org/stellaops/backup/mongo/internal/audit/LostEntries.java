package org.stellaops.backup.mongo.internal.audit;

import com.mongodb.client.MongoCursor;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.bson.BsonDateTime;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.RawBsonDocument;
import org.bson.json.JsonMode;
import org.bson.json.JsonWriterSettings;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.restore.PresentDocuments;
import org.stellaops.backup.spi.Stopping;

/**
 * Entries that the old system has and the restored one has not, oldest first, as lines of canonical
 * Extended JSON.
 */
public final class LostEntries {
  private static final JsonWriterSettings CANONICAL =
      JsonWriterSettings.builder().outputMode(JsonMode.EXTENDED).build();
  private static final int BATCH = 500;

  private final RawDatabase restored;
  private final Trail trail;
  private final OutputStream out;
  private final Stopping stopping;
  private final MessageDigest sha256 = Digest.sha256();
  private long count;
  private @Nullable Instant first;
  private @Nullable Instant last;

  /**
   * @param out gets the lines; stays open
   */
  public LostEntries(RawDatabase restored, Trail trail, OutputStream out, Stopping stopping) {
    this.restored = restored;
    this.trail = trail;
    this.out = out;
    this.stopping = stopping;
  }

  /**
   * What was written.
   *
   * @param count of lines
   * @param sha256 of all of them, each with its line feed
   */
  public record Written(
      long count, Digest sha256, @Nullable Instant first, @Nullable Instant last) {}

  /**
   * Compares all of the old system's entries from a time on, by {@code _id} and bytes.
   *
   * @param since a time before the cut, for clocks are not all alike
   */
  public Written write(RawDatabase old, Instant since) throws IOException {
    BsonDocument filter =
        new BsonDocument(
            trail.timeField(), new BsonDocument("$gte", new BsonDateTime(since.toEpochMilli())));
    BsonDocument sort = new BsonDocument(trail.timeField(), new BsonInt32(1));
    List<RawBsonDocument> batch = new ArrayList<>();
    try (MongoCursor<RawBsonDocument> cursor = old.sorted(trail.collection(), filter, sort)) {
      while (cursor.hasNext()) {
        stopping.check();
        batch.add(cursor.next());
        if (batch.size() == BATCH) {
          write(batch);
        }
      }
    }
    write(batch);
    return new Written(count, Digest.of(sha256.digest()), first, last);
  }

  private void write(List<RawBsonDocument> batch) throws IOException {
    PresentDocuments present = PresentDocuments.of(restored, trail.collection(), batch);
    for (RawBsonDocument entry : batch) {
      if (present.look(entry) != PresentDocuments.Presence.SAME) {
        writeLine(entry);
      }
    }
    batch.clear();
  }

  private void writeLine(RawBsonDocument entry) throws IOException {
    byte[] line = (entry.toJson(CANONICAL) + "\n").getBytes(StandardCharsets.UTF_8);
    sha256.update(line);
    out.write(line);
    count++;
    Instant time = Fields.time(entry, trail.timeField()).orElse(null);
    first = first == null ? time : first;
    last = time;
  }
}
