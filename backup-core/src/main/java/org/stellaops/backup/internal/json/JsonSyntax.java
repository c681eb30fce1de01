package org.stellaops.backup.internal.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;

/** Whether some bytes are a JSON document (RFC 8259). */
public final class JsonSyntax {
  private static final JsonFactory JSON = new JsonFactory();

  private JsonSyntax() {}

  /**
   * Where the first {@code length} bytes stop being one JSON document; empty if they are one. Says
   * the place only: what stands there may be a secret.
   */
  public static Optional<String> problem(byte[] bytes, int length) {
    try (JsonParser json = JSON.createParser(bytes, 0, length)) {
      if (json.nextToken() == null) {
        return Optional.of("nothing in it");
      }
      json.skipChildren();
      return json.nextToken() == null
          ? Optional.empty()
          : Optional.of("something behind the document");
    } catch (JsonProcessingException e) {
      var at = e.getLocation();
      return Optional.of(
          at == null
              ? "not JSON"
              : "not JSON at line %d, column %d".formatted(at.getLineNr(), at.getColumnNr()));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot happen: the bytes are in memory", e);
    }
  }
}
