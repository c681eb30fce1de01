package org.stellaops.backup.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.ReadableStore;

/**
 * What lies in a repository beside what its entries name, found as {@code sha256sum} would: by the
 * lines of the entries, and of the lists that they name.
 */
final class NamedObjects {
  /** {@code <sha256> <name>}, as in any checksum file. */
  private static final Pattern LINE = Pattern.compile("[0-9a-f]{64}  (\\S+)");

  private static final Pattern OF_THE_LAYOUT =
      Pattern.compile(
          "FORMAT\\.txt|recover\\.sh|repository\\.json|sink\\.json|keys/[^/]+|log/[^/]+/[0-9]+\\.entry");

  private final Set<String> stored;
  private final Set<String> needed = new TreeSet<>();
  private final Set<String> named = new TreeSet<>();

  private NamedObjects(Set<String> stored) {
    this.stored = stored;
  }

  /** Reads all entries. */
  static NamedObjects of(ReadableStore store) throws IOException {
    var named = new NamedObjects(list(store));
    for (String name : named.stored) {
      if (name.endsWith(".entry")) {
        named.read(store, name);
      }
    }
    return named;
  }

  /** What lies there and no entry has a use for. */
  Set<String> strays() {
    Set<String> strays = new TreeSet<>(stored);
    strays.removeAll(named);
    strays.removeIf(name -> OF_THE_LAYOUT.matcher(name).matches());
    return strays;
  }

  /** What a snapshot needs and is not there. */
  Set<String> missing() {
    Set<String> missing = new TreeSet<>(needed);
    missing.removeAll(stored);
    return missing;
  }

  private void read(ReadableStore store, String entry) throws IOException {
    String text = text(store, entry);
    // What a run says that it has so far is needed only until the run has ended.
    if (!text.contains("\n# kind: progress\n")) {
      boolean isSnapshot = text.contains("\n# kind: snapshot\n");
      for (String name : lines(text)) {
        add(name, isSnapshot);
        if (name.endsWith(".sums") && isSnapshot) {
          for (String listed : lines(text(store, name))) {
            add(listed, true);
          }
        }
      }
    }
  }

  /** The state is a writer's own: the newest takes the place of the others. */
  private void add(String name, boolean isOfSnapshot) {
    named.add(name);
    if (isOfSnapshot && !name.contains("/state/")) {
      needed.add(name);
    }
  }

  private static List<String> lines(String text) {
    List<String> names = new ArrayList<>();
    Matcher line = LINE.matcher("");
    for (String each : text.split("\n", -1)) {
      if (line.reset(each).matches()) {
        names.add(line.group(1));
      }
    }
    return names;
  }

  private static String text(ReadableStore store, String name) throws IOException {
    try (InputStream in = store.open(ObjectName.of(name), ByteRange.ALL)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static Set<String> list(ReadableStore store) throws IOException {
    Set<String> names = new TreeSet<>();
    PageToken token = PageToken.START;
    while (!token.equals(PageToken.END)) {
      ObjectPage page = store.list("", token);
      page.objects().forEach(row -> names.add(row.name().value()));
      token = page.next();
    }
    return names;
  }
}
