package org.stellaops.backup.internal.run;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Names;

/**
 * Whose word of other logs counts no more, as administrators wrote it down in the log of keys: of a
 * writer that was taken over what its log says from some entry on, and whatever its keys say in the
 * logs that all share, and in its streams'.
 */
final class Disbelief {
  private static final String KIND = "disbelieve";
  private static final String FIELD = "disbelieve";
  private static final String SEAL = "seal";
  private static final Pattern WORDS =
      Pattern.compile("([a-z0-9][a-z0-9_-]{0,119})/([1-9][0-9]{0,9}) [0-9a-f]{64}");

  private final Map<String, Long> since;
  private final Set<String> keys = new HashSet<>();

  private Disbelief(Map<String, Long> since) {
    this.since = since;
  }

  /** What the logs say of it. */
  static Disbelief of(List<LogView> logs) {
    Disbelief all = new Disbelief(new HashMap<>());
    logs.stream().filter(l -> l.log().equals(Names.ADMIN)).forEach(l -> all.since.putAll(said(l)));
    for (LogView log : logs) {
      if (all.since.containsKey(log.log())) {
        log.entries().stream()
            .filter(s -> s.isTrusted() && !s.entry().kind().equals(SEAL))
            .forEach(s -> all.keys.add(s.entry().publicKey()));
      }
    }
    return all;
  }

  private static Map<String, Long> said(LogView admin) {
    Map<String, Long> since = new HashMap<>();
    for (LogView.Standing standing : admin.entries()) {
      Entry entry = standing.entry();
      Matcher words = WORDS.matcher(entry.field(FIELD).orElse(""));
      boolean isWord =
          standing.isTrusted()
              && entry.kind().equals(KIND)
              && entry.required().isEmpty()
              && words.matches()
              && Names.isWriter(words.group(1));
      if (isWord) {
        since.merge(words.group(1), Long.parseLong(words.group(2)), Math::min);
      }
    }
    return since;
  }

  /** Whether the log of keys says it of this entry of a writer's log, or of one before it. */
  static boolean isSaid(LogView admin, String writer, long slot) {
    return said(admin).getOrDefault(writer, Long.MAX_VALUE) <= slot;
  }

  /** The draft of an entry that says so. */
  static Entry.Draft draft(Entry first, String reason) {
    return new Entry.Draft(KIND)
        .field(FIELD, "%s/%d %s".formatted(first.log(), first.sequence(), first.digest()))
        .field("reason", reason);
  }

  /** Whether what this entry says of other logs counts. */
  boolean isBelieved(Entry entry) {
    return Names.isCommon(entry.log()) || Names.isStream(entry.log())
        ? !keys.contains(entry.publicKey())
        : entry.sequence() < since.getOrDefault(entry.log(), Long.MAX_VALUE);
  }
}
