package org.stellaops.backup.internal.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * NDJSON: one flat object per line, whose values are strings, whole numbers or booleans. Lines are
 * bounded, so that a reader's memory is.
 */
public final class JsonLines {
  /** No honest line is longer: a path has at most 4096 bytes, six times that when escaped. */
  public static final int MAX_LINE_BYTES = 1 << 20;

  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private JsonLines() {}

  /** One line with its line feed; fields in the order of the map. */
  public static byte[] encode(Map<String, ?> fields) {
    var line = new ByteArrayOutputStream(256);
    try (JsonGenerator json = JSON.createGenerator(line)) {
      json.writeStartObject();
      for (var field : fields.entrySet()) {
        json.writeFieldName(field.getKey());
        writeValue(json, field.getValue());
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot happen: a byte array takes everything", e);
    }
    line.write('\n');
    return line.toByteArray();
  }

  private static void writeValue(JsonGenerator json, Object value) throws IOException {
    if (value instanceof String text) {
      json.writeString(text);
    } else if (value instanceof Long number) {
      json.writeNumber(number);
    } else if (value instanceof Boolean truth) {
      json.writeBoolean(truth);
    } else {
      throw new IllegalArgumentException("not a String, Long or Boolean: " + value.getClass());
    }
  }

  /** Reads line by line. Closes the stream it was given. */
  public static final class Reader implements Closeable {
    private final InputStream in;
    private final String what;
    private long lines;

    /**
     * @param what named in the messages of failures
     */
    public Reader(InputStream in, String what) {
      this.in = new BufferedInputStream(in, 1 << 16);
      this.what = what;
    }

    /**
     * The next object; empty at the end.
     *
     * @throws BackupException.Corrupt MALFORMED if there is something else
     */
    public Optional<Map<String, Object>> next() throws IOException {
      byte[] line = nextLine();
      if (line.length == 0) {
        return Optional.empty();
      }
      lines++;
      try (JsonParser json = JSON.createParser(line)) {
        return Optional.of(parse(json));
      } catch (JsonProcessingException e) {
        throw malformed("is not JSON");
      }
    }

    private byte[] nextLine() throws IOException {
      var line = new ByteArrayOutputStream(256);
      for (int b = in.read(); b >= 0; b = in.read()) {
        if (b == '\n') {
          if (line.size() == 0) {
            throw malformed("is empty");
          }
          return line.toByteArray();
        }
        if (line.size() == MAX_LINE_BYTES) {
          throw malformed("is longer than " + MAX_LINE_BYTES + " bytes");
        }
        line.write(b);
      }
      if (line.size() > 0) {
        throw malformed("has no line feed");
      }
      return new byte[0];
    }

    private Map<String, Object> parse(JsonParser json) throws IOException {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw malformed("is not an object");
      }
      Map<String, Object> fields = new LinkedHashMap<>();
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        JsonToken value = json.nextToken();
        if (value == JsonToken.VALUE_STRING) {
          fields.put(name, json.getText());
        } else if (value == JsonToken.VALUE_NUMBER_INT) {
          fields.put(name, json.getLongValue());
        } else if (value == JsonToken.VALUE_TRUE || value == JsonToken.VALUE_FALSE) {
          fields.put(name, value == JsonToken.VALUE_TRUE);
        } else {
          throw malformed("is not flat");
        }
      }
      if (json.nextToken() != null) {
        throw malformed("has something behind its object");
      }
      return fields;
    }

    private BackupException.Corrupt malformed(String how) {
      return new BackupException.Corrupt(
          CoreFailure.MALFORMED, "%s: line %d %s".formatted(what, lines + 1, how));
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
