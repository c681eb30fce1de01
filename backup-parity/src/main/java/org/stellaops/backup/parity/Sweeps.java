package org.stellaops.backup.parity;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.model.Digest;

/**
 * What retention removed on purpose, read from its log ({@code docs/format/retention.md}): a file
 * that is missing and not named here is damage.
 *
 * <p>Signatures are not looked at: parity is against accidents, and whoever can write false entries
 * here can remove the volumes as well. An entry or list that an accident changed is not believed:
 * it is compared with its digest in a group, and a list with its name.
 */
final class Sweeps {
  private static final String LOG = "log/retention/";
  private static final long MAX_ENTRY_BYTES = 1 << 20;
  private static final Pattern FIELD = Pattern.compile("# ([a-z-]+): (.*)");
  private static final Pattern SUM = Pattern.compile("([0-9a-f]{64})  (\\S+)");
  private static final Pattern SLOTS =
      Pattern.compile("([a-z0-9][a-z0-9._-]{0,119}) ([0-9]{1,10})-([0-9]{1,10}) .*");

  private final Medium medium;
  private final Map<String, Set<Member>> known;
  private final Map<Long, String> doomed = new HashMap<>();
  private final Set<Long> swept = new HashSet<>();
  private final Set<String> files = new HashSet<>();

  private Sweeps(Medium medium, Map<String, Set<Member>> known) {
    this.medium = medium;
    this.known = known;
  }

  /**
   * Names of files that were removed on purpose.
   *
   * @param known what groups say of files, by name
   */
  static Set<String> read(Medium medium, Inventory inventory, Map<String, Set<Member>> known)
      throws IOException {
    Sweeps sweeps = new Sweeps(medium, known);
    for (Map.Entry<String, Long> file : inventory.sizes().tailMap(LOG, true).entrySet()) {
      String name = file.getKey();
      if (!name.startsWith(LOG)) {
        break;
      }
      if (FileName.isEntry(name) && file.getValue() <= MAX_ENTRY_BYTES) {
        sweeps.readEntry(name);
      }
    }
    for (long slot : sweeps.swept) {
      sweeps.readList(sweeps.doomed.getOrDefault(slot, ""));
    }
    return sweeps.files;
  }

  private void readEntry(String name) throws IOException {
    String digits = name.substring(LOG.length(), name.length() - ".entry".length());
    if (!digits.matches("[0-9]{10}")) {
      return;
    }
    for (String line : lines(name)) {
      Matcher sum = SUM.matcher(line);
      if (sum.matches()) {
        doomed.put(Long.parseLong(digits), sum.group(2));
      }
      Matcher field = FIELD.matcher(line);
      if (field.matches() && field.group(1).equals("sweep")) {
        addSlot(field.group(2));
      }
      if (field.matches() && field.group(1).equals("swept")) {
        addRange(field.group(2));
      }
    }
  }

  private void addSlot(String text) {
    if (text.matches("[1-9][0-9]{0,9}")) {
      swept.add(Long.parseLong(text));
    }
  }

  private void addRange(String text) {
    Matcher slots = SLOTS.matcher(text);
    if (slots.matches()) {
      long last = Long.parseLong(slots.group(3));
      for (Map.Entry<String, Set<Member>> file : known.entrySet()) {
        String prefix = "log/" + slots.group(1) + "/";
        String name = file.getKey();
        if (name.startsWith(prefix) && FileName.isEntry(name)) {
          String digits = name.substring(prefix.length(), name.length() - ".entry".length());
          if (digits.matches("[0-9]{10}")
              && Long.parseLong(digits) >= Long.parseLong(slots.group(2))
              && Long.parseLong(digits) <= last) {
            files.add(name);
          }
        }
      }
    }
  }

  private void readList(String name) throws IOException {
    if (!FileName.isProtected(name) || !Files.isRegularFile(medium.resolve(name))) {
      return;
    }
    for (String line : lines(name)) {
      Matcher sum = SUM.matcher(line);
      if (sum.matches()) {
        files.add(sum.group(2));
      }
    }
  }

  /** Nothing, if the file is not what it was. Lists are cut at a few thousand lines. */
  private Iterable<String> lines(String name) throws IOException {
    Path file = medium.resolve(name);
    byte[] content;
    try {
      content = Files.readAllBytes(file);
    } catch (IOException e) {
      throw medium.failure("read " + name, e);
    }
    Digest digest = Digest.ofContent(content);
    Set<Member> records = known.getOrDefault(name, Set.of());
    boolean isAsKnown =
        Member.agrees(name, content.length, digest)
            && (records.isEmpty() || records.stream().anyMatch(m -> m.stored().equals(digest)));
    return isAsKnown
        ? new String(content, StandardCharsets.ISO_8859_1).lines().toList()
        : List.of();
  }
}
