package org.stellaops.backup.testkit;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.stellaops.backup.model.ObjectName;

/**
 * Proves that secrets planted in a source are found nowhere they should not be:
 *
 * <pre>{@code
 * var canaries = CanaryAssertions.of("c4n4ry-database-password");
 * backUpA(database);
 * canaries.assertNowhereIn(repository, workspace);
 * canaries.assertNowhereIn("the log", log.toString());
 * }</pre>
 *
 * <p>Looked for as UTF-8 and UTF-16, as hexadecimal of either case and as base64 of any alignment,
 * standard or URL-safe; the last three also across line breaks. File names are looked at too. What
 * was compressed or encrypted is not found. Messages call a secret by its number. Memory is bounded
 * whatever the size of a file. From any thread.
 */
public final class CanaryAssertions {
  private static final int WINDOW_BYTES = 1 << 16;

  private final List<Canary> canaries;

  private CanaryAssertions(List<Canary> canaries) {
    this.canaries = List.copyOf(canaries);
  }

  /**
   * These secrets, numbered from 0.
   *
   * @throws IllegalArgumentException if one has fewer than 8 bytes, since it would be found by
   *     chance
   */
  public static CanaryAssertions of(String... secrets) {
    List<Canary> canaries = new ArrayList<>();
    for (String secret : secrets) {
      canaries.add(Canary.of(canaries.size(), secret));
    }
    return new CanaryAssertions(canaries);
  }

  /**
   * Fails if a secret stands in one of these files, or in a file at any depth below one of these
   * directories, or in the name of one. Links are not followed.
   *
   * @throws AssertionError that names every file, and how it holds which secret
   */
  public void assertNowhereIn(Path... places) throws IOException {
    requireNone(sightings(places));
  }

  /** Fails if a secret stands in a name or in the bytes of one of these objects. */
  public void assertNowhereIn(RawObjects objects) throws IOException {
    List<String> sightings = new ArrayList<>();
    for (ObjectName name : objects.names()) {
      sightings.addAll(sightings("name of object " + name, name.value()));
      sightings.addAll(sightings("object " + name, new ByteArrayInputStream(objects.read(name))));
    }
    requireNone(sightings);
  }

  /** Fails if a secret stands in the text, which the message calls {@code where}. */
  public void assertNowhereIn(String where, String text) throws IOException {
    requireNone(sightings(where, text));
  }

  /** Fails if a secret stands in the bytes, which the message calls {@code where}. */
  public void assertNowhereIn(String where, InputStream bytes) throws IOException {
    requireNone(sightings(where, bytes));
  }

  /**
   * Fails if one of the secrets stands in none of these places: a search that finds nothing proves
   * something only if it can find.
   */
  public void assertSomewhereIn(Path... places) throws IOException {
    List<Integer> missing = new ArrayList<>();
    for (Canary canary : canaries) {
      if (new CanaryAssertions(List.of(canary)).sightings(places).isEmpty()) {
        missing.add(canary.number());
      }
    }
    if (!missing.isEmpty()) {
      throw new AssertionError("canaries found nowhere: " + missing);
    }
  }

  private static List<Path> tree(Path place) throws IOException {
    try (Stream<Path> paths = Files.walk(place)) {
      return paths.sorted().toList();
    }
  }

  private static String nameBelow(Path place, Path path) {
    return place.equals(path) ? "" : place.relativize(path).toString();
  }

  private static void requireNone(List<String> sightings) {
    if (!sightings.isEmpty()) {
      throw new AssertionError("secrets were found:\n" + String.join("\n", sightings));
    }
  }

  private List<String> sightings(Path... places) throws IOException {
    List<String> sightings = new ArrayList<>();
    for (Path place : places) {
      for (Path path : tree(place)) {
        sightings.addAll(sightings("the name " + path, nameBelow(place, path)));
        if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
          try (InputStream in = Files.newInputStream(path)) {
            sightings.addAll(sightings(path.toString(), in));
          }
        }
      }
    }
    return sightings;
  }

  private List<String> sightings(String where, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return sightings(where, new ByteArrayInputStream(bytes));
  }

  private List<String> sightings(String where, InputStream in) throws IOException {
    Set<String> found = new LinkedHashSet<>();
    var asIs = new Window(false);
    var unbroken = new Window(true);
    byte[] buffer = new byte[WINDOW_BYTES];
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      asIs.slide(buffer, n);
      unbroken.slide(buffer, n);
      asIs.addSightings(where, found);
      unbroken.addSightings(where, found);
    }
    return List.copyOf(found);
  }

  private int longestForm() {
    return canaries.stream()
        .flatMap(c -> c.forms().stream())
        .mapToInt(Canary.Form::length)
        .max()
        .orElse(1);
  }

  /** The last bytes of a stream, as many as the longest form needs before those just read. */
  private final class Window {
    private final boolean isWithoutBreaks;
    private final int overlap = longestForm() - 1;
    private final byte[] bytes = new byte[overlap + WINDOW_BYTES];
    private int length;

    Window(boolean isWithoutBreaks) {
      this.isWithoutBreaks = isWithoutBreaks;
    }

    void slide(byte[] next, int count) {
      int kept = Math.min(length, overlap);
      System.arraycopy(bytes, length - kept, bytes, 0, kept);
      length = kept;
      for (int i = 0; i < count; i++) {
        if (!isWithoutBreaks || (next[i] != '\n' && next[i] != '\r')) {
          bytes[length++] = next[i];
        }
      }
    }

    void addSightings(String where, Set<String> found) {
      for (Canary canary : canaries) {
        for (Canary.Form form : canary.forms()) {
          if (form.isBroken() == isWithoutBreaks && form.isIn(bytes, length)) {
            found.add("canary %d as %s in %s".formatted(canary.number(), form.how(), where));
          }
        }
      }
    }
  }
}
