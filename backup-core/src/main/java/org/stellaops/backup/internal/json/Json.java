package org.stellaops.backup.internal.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/** JSON objects as maps. */
public final class Json {
  private static final int MAX_DEPTH = 20;
  private static final ObjectMapper MAPPER =
      new ObjectMapper(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private Json() {}

  /**
   * Reads one object.
   *
   * @param what is read, for messages
   */
  public static JsonObject read(byte[] json, int offset, int length, String what)
      throws IOException {
    try {
      Map<String, @Nullable Object> fields =
          MAPPER.readValue(
              json, offset, length, new TypeReference<Map<String, @Nullable Object>>() {});
      if (fields == null) {
        throw new BackupException.Corrupt(
            CoreFailure.MALFORMED, what + " is null, expected a JSON object");
      }
      return new JsonObject(what, fields);
    } catch (JsonProcessingException e) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED,
          "%s is not a JSON object: %s".formatted(what, e.getOriginalMessage()));
    }
  }

  /** Reads one object. */
  public static JsonObject read(byte[] json, String what) throws IOException {
    return read(json, 0, json.length, what);
  }

  /** Writes maps, lists, strings, numbers and booleans, without line breaks. */
  public static byte[] write(Map<String, ?> object) {
    try {
      return MAPPER.writeValueAsBytes(object);
    } catch (JsonProcessingException e) {
      throw new AssertionError("maps of strings, numbers and lists can be written as JSON", e);
    }
  }

  /** A string as it stands in JSON, with its quotes. */
  public static String quote(String text) {
    try {
      return new String(MAPPER.writeValueAsBytes(text), StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new AssertionError("a string can be written as JSON", e);
    }
  }
}
