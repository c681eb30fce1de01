package org.stellaops.backup.mongo.internal.oplog;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Applies the {@code diff} of an update of version 2 to the bytes of a document, as a server does
 * (mongo, document_diff_applier.cpp): a field that is updated stays in its place, or comes at the
 * end where it was not; one that is inserted comes at the end, also where it was before; a part
 * that is not what the diff was made of becomes null, since a later entry will overwrite it.
 */
final class DocumentDiff {
  private static final String DELETED = "d";
  private static final String UPDATED = "u";
  private static final String INSERTED = "i";
  private static final String WITHIN = "s";
  private static final String IS_ARRAY = "a";
  private static final String NEW_LENGTH = "l";

  /** As deep as a server lets documents be (mongo, BSONDepth), and a diff of it. */
  private static final int DEEPEST = 250;

  /** As long as a server lets a diff make an array by padding. */
  private static final int MOST_PADDING = 1_500_000;

  private DocumentDiff() {}

  /** What becomes of a document. */
  static RawDocument apply(RawDocument before, RawDocument diff) {
    DocumentBuilder after = new DocumentBuilder(before.length() + diff.length());
    applyFields(before, diff, after, 0);
    return after.finish();
  }

  private static boolean isOfArray(RawDocument diff) {
    return !diff.isEmpty() && diff.first().name().equals(IS_ARRAY);
  }

  private static void applyFields(
      RawDocument before, RawDocument diff, DocumentBuilder after, int depth) {
    Fields fields = Fields.of(diff, depth);
    Set<String> done = new HashSet<>();
    for (RawElement element : before) {
      String name = element.name();
      if (!fields.changed.contains(name)) {
        after.add(element);
      } else if (fields.updated.containsKey(name)) {
        after.add(fields.updated.get(name));
        done.add(name);
      } else if (fields.within.containsKey(name)) {
        applyWithin(name, element, fields.within.get(name), after, depth);
        done.add(name);
      }
    }
    fields.atTheEnd.forEach(
        (name, value) -> {
          if (!done.contains(name)) {
            after.add(value);
          }
        });
  }

  private static void applyWithin(
      String name, RawElement element, RawDocument diff, DocumentBuilder after, int depth) {
    if (isOfArray(diff) ? !element.isArray() : !element.isDocument()) {
      after.addNull(name);
      return;
    }
    int place = after.begin(element.type(), name);
    if (element.isArray()) {
      applyElements(element.document(), diff, after, depth + 1);
    } else {
      applyFields(element.document(), diff, after, depth + 1);
    }
    after.end(place);
  }

  private static void applyElements(
      RawDocument before, RawDocument diff, DocumentBuilder after, int depth) {
    Elements elements = Elements.of(diff, depth);
    Iterator<RawElement> old = before.iterator();
    int index = 0;
    for (; old.hasNext() && elements.isWithin(index); index++) {
      applyElement(index, old.next(), elements, after, depth);
    }
    int end = Math.max(elements.newLength.orElse(index), elements.end);
    if (end - index > MOST_PADDING) {
      throw new IllegalArgumentException("a diff that makes an array of " + end);
    }
    for (; index < end; index++) {
      applyElement(index, null, elements, after, depth);
    }
  }

  private static void applyElement(
      int index, @Nullable RawElement old, Elements elements, DocumentBuilder after, int depth) {
    String name = Integer.toString(index);
    RawElement updated = elements.updated.get(index);
    RawDocument within = elements.within.get(index);
    if (updated != null) {
      after.add(name, updated);
    } else if (old == null) {
      after.addNull(name);
    } else if (within != null) {
      applyWithin(name, old, within, after, depth);
    } else {
      after.add(name, old);
    }
  }

  private static void requireDepth(int depth) {
    if (depth > DEEPEST) {
      throw new IllegalArgumentException("a diff of more than %d levels".formatted(DEEPEST));
    }
  }

  private static IllegalArgumentException unknown(RawElement section) {
    return new IllegalArgumentException(
        "a diff with the section '%s', which is not known".formatted(section.name()));
  }

  /** The diff of a document. */
  private static final class Fields {
    final Set<String> changed = new HashSet<>();
    final Map<String, RawElement> updated = new HashMap<>();
    final Map<String, RawDocument> within = new HashMap<>();

    /** Updated and inserted fields, in the order in which they come where they were not before. */
    final Map<String, RawElement> atTheEnd = new LinkedHashMap<>();

    static Fields of(RawDocument diff, int depth) {
      requireDepth(depth);
      Fields fields = new Fields();
      for (RawElement section : diff) {
        fields.read(section);
      }
      return fields;
    }

    private void read(RawElement section) {
      switch (section.name()) {
        case DELETED -> section.document().forEach(e -> change(e.name()));
        case UPDATED -> section.document().forEach(this::update);
        case INSERTED -> section.document().forEach(this::insert);
        default -> {
          if (!section.name().startsWith(WITHIN)) {
            throw unknown(section);
          }
          String name = section.name().substring(1);
          change(name);
          within.put(name, section.document());
        }
      }
    }

    private void update(RawElement value) {
      insert(value);
      updated.put(value.name(), value);
    }

    private void insert(RawElement value) {
      change(value.name());
      atTheEnd.put(value.name(), value);
    }

    private void change(String name) {
      if (!changed.add(name)) {
        throw new IllegalArgumentException("a diff that changes a field twice: " + name);
      }
    }
  }

  /** The diff of an array. */
  private static final class Elements {
    final Map<Integer, RawElement> updated = new HashMap<>();
    final Map<Integer, RawDocument> within = new HashMap<>();
    OptionalInt newLength = OptionalInt.empty();

    /** Behind the last element that is mentioned. */
    int end;

    static Elements of(RawDocument diff, int depth) {
      requireDepth(depth);
      Elements elements = new Elements();
      for (RawElement section : diff) {
        elements.read(section);
      }
      return elements;
    }

    private void read(RawElement section) {
      String name = section.name();
      if (name.equals(IS_ARRAY)) {
        return;
      }
      if (name.equals(NEW_LENGTH)) {
        newLength = OptionalInt.of(Math.toIntExact(section.number()));
        return;
      }
      boolean isUpdate = name.startsWith(UPDATED);
      if (!isUpdate && !name.startsWith(WITHIN)) {
        throw unknown(section);
      }
      int index = Integer.parseInt(name, 1, name.length(), 10);
      if (isUpdate) {
        updated.put(index, section);
      } else {
        within.put(index, section.document());
      }
      end = Math.max(end, index + 1);
    }

    boolean isWithin(int index) {
      return newLength.isEmpty() || index < newLength.getAsInt();
    }
  }
}
