package org.stellaops.backup.mongo.internal.oplog;

import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * Applies the {@code $set} and {@code $unset} of an update of version 1, which servers before 5.0
 * wrote, to the bytes of a document: a path that cannot be followed is passed over, as a server
 * does when it applies an oplog, since a later entry will overwrite what stands in its way.
 */
final class ModifierUpdate {
  private static final int MOST_PADDING = 1_500_000;

  private ModifierUpdate() {}

  /** What becomes of a document. */
  static RawDocument apply(RawDocument before, RawDocument modifiers) {
    RawDocument after = before;
    for (RawElement section : modifiers) {
      switch (section.name()) {
        case "$v" -> {}
        case "$set" -> {
          for (RawElement value : section.document()) {
            after = change(after, false, path(value), Optional.of(value));
          }
        }
        case "$unset" -> {
          for (RawElement value : section.document()) {
            after = change(after, false, path(value), Optional.empty());
          }
        }
        default ->
            throw new IllegalArgumentException(
                "an update with the modifier '%s', which is not known".formatted(section.name()));
      }
    }
    return after;
  }

  private static List<String> path(RawElement value) {
    return List.of(value.name().split("\\.", -1));
  }

  /** The document or array with another value at a path; with none where the value is empty. */
  private static RawDocument change(
      RawDocument in, boolean isArray, List<String> path, Optional<RawElement> value) {
    String name = path.get(0);
    if (isArray && !name.matches("0|[1-9][0-9]{0,6}")) {
      return in;
    }
    DocumentBuilder out =
        new DocumentBuilder(in.length() + value.map(RawElement::length).orElse(0) + 64);
    boolean isFound = false;
    int size = 0;
    for (Iterator<RawElement> elements = in.iterator(); elements.hasNext(); size++) {
      RawElement element = elements.next();
      boolean isIt = !isFound && element.name().equals(name);
      isFound |= isIt;
      if (isIt) {
        put(out, element, isArray, path, value);
      } else {
        out.add(element);
      }
    }
    if (!isFound && value.isPresent()) {
      for (int i = size; isArray && i < padding(name, size); i++) {
        out.addNull(Integer.toString(i));
      }
      create(out, path, value.get());
    }
    return out.finish();
  }

  private static int padding(String name, int size) {
    int index = Integer.parseInt(name);
    if (index - size > MOST_PADDING) {
      throw new IllegalArgumentException("an update that makes an array of " + index);
    }
    return index;
  }

  /** In the place of an element that is there. */
  private static void put(
      DocumentBuilder out,
      RawElement element,
      boolean isInArray,
      List<String> path,
      Optional<RawElement> value) {
    if (path.size() > 1) {
      boolean isContainer = element.isDocument() || element.isArray();
      if (isContainer) {
        RawDocument inner =
            change(element.document(), element.isArray(), path.subList(1, path.size()), value);
        out.add(
            new RawElement(
                inner.array(), element.type(), element.name(), inner.start(), inner.length()));
      } else {
        out.add(element);
      }
    } else if (value.isPresent()) {
      out.add(element.name(), value.get());
    } else if (isInArray) {
      out.addNull(element.name());
    }
  }

  /** Where nothing is yet: documents all the way down. */
  private static void create(DocumentBuilder out, List<String> path, RawElement value) {
    if (path.size() == 1) {
      out.add(path.get(0), value);
      return;
    }
    int place = out.begin(RawElement.DOCUMENT, path.get(0));
    create(out, path.subList(1, path.size()), value);
    out.end(place);
  }
}
