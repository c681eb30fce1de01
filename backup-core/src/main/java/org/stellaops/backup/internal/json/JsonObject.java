package org.stellaops.backup.internal.json;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * A JSON object that was read, with accessors that say what is missing. Unknown fields are ignored.
 */
public final class JsonObject {
  private final String what;
  private final Map<String, @Nullable Object> fields;

  JsonObject(String what, Map<String, @Nullable Object> fields) {
    this.what = what;
    this.fields = fields;
  }

  /** Whether the field is there and not null. */
  public boolean has(String name) {
    return fields.get(name) != null;
  }

  /** A string. */
  public String text(String name) throws BackupException {
    return required(name, String.class);
  }

  /** A string that may be absent. */
  public Optional<String> optionalText(String name) throws BackupException {
    return has(name) ? Optional.of(text(name)) : Optional.empty();
  }

  /** A whole number, 0 or more. */
  public long number(String name) throws BackupException {
    long value = signed(name);
    if (value < 0) {
      throw malformed(name, "a number that is not negative");
    }
    return value;
  }

  /** A whole number of any sign. */
  public long signed(String name) throws BackupException {
    Object value = fields.get(name);
    if (value instanceof Integer || value instanceof Long) {
      return ((Number) value).longValue();
    }
    throw malformed(name, "a whole number of 64 bits");
  }

  /** An array; empty if absent. */
  public List<?> list(String name) throws BackupException {
    return has(name) ? required(name, List.class) : List.of();
  }

  /** An array of objects; empty if absent. */
  public List<JsonObject> objects(String name) throws BackupException {
    List<?> values = list(name);
    List<JsonObject> objects = new ArrayList<>(values.size());
    for (Object value : values) {
      objects.add(object(name, value));
    }
    return objects;
  }

  /** An object of strings; empty if absent. */
  public Map<String, String> texts(String name) throws BackupException {
    Map<String, String> texts = new LinkedHashMap<>();
    if (has(name)) {
      Map<?, ?> object = required(name, Map.class);
      for (Map.Entry<?, ?> entry : object.entrySet()) {
        if (!(entry.getKey() instanceof String key)
            || !(entry.getValue() instanceof String value)) {
          throw malformed(name, "an object of strings");
        }
        texts.put(key, value);
      }
    }
    return texts;
  }

  private JsonObject object(String name, @Nullable Object value) throws BackupException {
    if (!(value instanceof Map<?, ?> map)) {
      throw malformed(name, "objects");
    }
    Map<String, @Nullable Object> copy = new LinkedHashMap<>();
    map.forEach((k, v) -> copy.put(String.valueOf(k), v));
    return new JsonObject(what, copy);
  }

  private <T> T required(String name, Class<T> type) throws BackupException {
    Object value = fields.get(name);
    if (!type.isInstance(value)) {
      throw malformed(name, "a " + type.getSimpleName());
    }
    return type.cast(value);
  }

  /** That the object is not what it should be. */
  public BackupException malformed(String name, String expected) {
    return new BackupException.Corrupt(
        CoreFailure.MALFORMED, "%s: field '%s' should be %s".formatted(what, name, expected));
  }
}
