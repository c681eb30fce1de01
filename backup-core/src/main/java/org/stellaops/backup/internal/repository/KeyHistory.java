package org.stellaops.backup.internal.repository;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Trust;

/**
 * Who spoke for one writer and until when, as the writer's own log says it: keys that gave way to
 * others, and the seal that ended it. Both name the last slot of every other log that counts, so
 * that nobody who kept an old key adds anything behind it, nor hides it by replacing entries.
 *
 * <p>A rotation is believed if the key that signed it is, or if the key that it names is and signed
 * the very next entry: by that it vouches for what stands before.
 */
final class KeyHistory {
  /** Kind of the entry by which a key gives way to another. */
  static final String ROTATE = "rotate";

  /** Kind of the entry by which an administrator ends another's log. */
  static final String SEAL = "seal";

  /** The key that signs from now on. */
  static final String NEXT = "next";

  /** The last slot of another log that counts: {@code <log>/<seq> <sha256>}. */
  static final String ENDS = "ends";

  private static final Pattern KEY = Pattern.compile("ssh-ed25519 [A-Za-z0-9+/]{68}");
  private static final Pattern PLACE =
      Pattern.compile("([a-z0-9][a-z0-9._-]{0,119})/([1-9][0-9]{0,9}) ([0-9a-f]{64})");

  private final String writer;
  private final Trust trust;
  private final Map<String, Rotation> byFormer = new LinkedHashMap<>();
  private final Map<String, Rotation> byNext = new HashMap<>();
  private final List<Entry> seals;
  private final Optional<End> seal;

  private KeyHistory(String writer, Trust trust, List<Entry> seals, Optional<End> seal) {
    this.writer = writer;
    this.trust = trust;
    this.seals = seals;
    this.seal = seal;
  }

  /** Where something ends: in the writer's log, and in others. */
  private record End(long slot, Map<String, Long> elsewhere) {
    long in(String log, String writer) {
      return log.equals(writer) ? slot : elsewhere.getOrDefault(log, 0L);
    }
  }

  /** One key that gave way to another. */
  private record Rotation(String former, String next, Digest entry, End end) {}

  /**
   * What the entries of a writer's log say.
   *
   * @param entries those that are signed and stand where they say, oldest first
   */
  static KeyHistory of(String writer, List<Entry> entries, Trust trust) {
    List<Entry> seals = entries.stream().filter(e -> e.kind().equals(SEAL)).toList();
    KeyHistory history = new KeyHistory(writer, trust, seals, Optional.empty());
    List<Rotation> claimed = history.follow(entries);
    history.followBack(claimed, entries);
    return history;
  }

  /** Finds the rotations by keys that are believed; returns the others, oldest first. */
  private List<Rotation> follow(List<Entry> entries) {
    List<Rotation> others = new ArrayList<>();
    Instant latest = Instant.MIN;
    for (Entry entry : entries) {
      String key = entry.publicKey();
      boolean isBelieved =
          byNext.containsKey(key)
              || trust.accepts(writer, key, entry.time(), later(latest, entry.time()));
      latest = isBelieved ? later(latest, entry.time()) : latest;
      Optional<Rotation> rotation = rotation(entry);
      if (rotation.isPresent() && isBelieved) {
        believe(rotation.get());
      } else {
        rotation.ifPresent(others::add);
      }
    }
    return others;
  }

  private static Instant later(Instant one, Instant other) {
    return one.isAfter(other) ? one : other;
  }

  /** Believes what a believed key vouches for, newest first. */
  private void followBack(List<Rotation> claimed, List<Entry> entries) {
    for (int i = claimed.size() - 1; i >= 0; i--) {
      Rotation rotation = claimed.get(i);
      String next = rotation.next();
      if ((byFormer.containsKey(next) || trust.accepts(writer, next))
          && isFollowed(rotation, entries)) {
        believe(rotation);
      }
    }
  }

  private static boolean isFollowed(Rotation rotation, List<Entry> entries) {
    return entries.stream()
        .filter(e -> e.sequence() == rotation.end().slot() + 1)
        .anyMatch(
            e ->
                e.publicKey().equals(rotation.next())
                    && e.previous().equals(Optional.of(rotation.entry())));
  }

  /** A key gives way once, follows one, and never comes back. */
  private void believe(Rotation rotation) {
    boolean isTaken =
        byFormer.containsKey(rotation.former())
            || byNext.containsKey(rotation.next())
            || relatives(rotation.next()).contains(rotation.former());
    if (!isTaken) {
      byFormer.put(rotation.former(), rotation);
      byNext.put(rotation.next(), rotation);
    }
  }

  private static Optional<Rotation> rotation(Entry entry) {
    if (!entry.kind().equals(ROTATE)) {
      return Optional.empty();
    }
    String next = entry.field(NEXT).orElse("");
    boolean isRotation =
        entry.required().isEmpty()
            && KEY.matcher(next).matches()
            && !next.equals(entry.publicKey());
    return isRotation
        ? Optional.of(new Rotation(entry.publicKey(), next, entry.digest(), end(entry)))
        : Optional.empty();
  }

  private static End end(Entry entry) {
    Map<String, Long> elsewhere = new HashMap<>();
    for (String field : entry.fields(ENDS)) {
      Matcher place = PLACE.matcher(field);
      if (place.matches()) {
        elsewhere.put(place.group(1), Long.parseLong(place.group(2)));
      }
    }
    return new End(entry.sequence(), Map.copyOf(elsewhere));
  }

  /** The same, with the first seal by an administrator. */
  KeyHistory sealedBy(Predicate<String> isAdministrator) {
    Optional<End> first =
        seals.stream()
            .filter(e -> isAdministrator.test(e.publicKey()))
            .findFirst()
            .map(KeyHistory::end);
    KeyHistory sealed = new KeyHistory(writer, trust, seals, first);
    sealed.byFormer.putAll(byFormer);
    sealed.byNext.putAll(byNext);
    return sealed;
  }

  /** Whether the writer's log, and with it the writer, was ended. */
  boolean isSealed() {
    return seal.isPresent();
  }

  /** Whether this slot stands behind where the seal ended its log. */
  boolean isBehindSeal(String log, long slot) {
    return seal.isPresent() && slot > seal.get().in(log, writer);
  }

  /** Whether it is, or was, a key of this writer. */
  boolean includes(String key) {
    return byFormer.containsKey(key) || byNext.containsKey(key) || trust.accepts(writer, key);
  }

  /** Whether a key had given way, or had not yet come, where this slot is. */
  boolean isOutOfTurn(String key, String log, long slot) {
    Rotation ended = byFormer.get(key);
    Rotation began = byNext.get(key);
    return (ended != null && slot > ended.end().in(log, writer))
        || (began != null && slot <= began.end().in(log, writer));
  }

  /** The keys before and behind this one, and itself. */
  Set<String> relatives(String key) {
    Set<String> all = new HashSet<>(Set.of(key));
    for (Rotation r = byNext.get(key); r != null && all.add(r.former()); ) {
      r = byNext.get(r.former());
    }
    for (Rotation r = byFormer.get(key); r != null && all.add(r.next()); ) {
      r = byFormer.get(r.next());
    }
    return all;
  }
}
