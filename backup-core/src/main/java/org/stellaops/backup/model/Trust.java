package org.stellaops.backup.model;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whose signatures count: an OpenSSH {@code allowed_signers} file that the reader holds. A
 * principal is the name of a log, or a pattern with {@code *}. The repository's own word about its
 * writers proves nothing.
 *
 * @param signers the lines that were understood
 */
public record Trust(List<Signer> signers) {
  private static final Trust NOBODY = new Trust(List.of());

  public Trust {
    signers = List.copyOf(signers);
  }

  /** Nobody is known: what is read is intact or not, but never authenticated. */
  public static Trust nobody() {
    return NOBODY;
  }

  /** Each writer may speak in its own log and its streams'. */
  public static Trust writers(WriterId... writers) {
    List<Signer> signers = new ArrayList<>();
    for (WriterId writer : writers) {
      signers.add(new Signer(List.of(writer.name(), writer.name() + ".*"), writer.publicKey()));
    }
    return new Trust(signers);
  }

  /**
   * The simple embedded set-up: one key that writes, verifies, retains and administers. Whoever
   * takes over its host can also delete.
   */
  public static Trust owner(WriterId writer) {
    return new Trust(
        List.of(
            new Signer(
                List.of(writer.name(), writer.name() + ".*", "admin", "retention", "verify"),
                writer.publicKey())));
  }

  /**
   * Lines of an {@code allowed_signers} file (ssh-keygen(1), ALLOWED SIGNERS). Empty lines and
   * comments are passed over. Options other than {@code namespaces}, {@code valid-after} and {@code
   * valid-before} are refused, since ignoring one would trust too much.
   *
   * @throws IllegalArgumentException naming the line that was not understood
   */
  public static Trust allowedSigners(String text) {
    List<Signer> signers = new ArrayList<>();
    for (String line : text.split("\n", -1)) {
      String stripped = line.strip();
      if (!stripped.isEmpty() && !stripped.startsWith("#")) {
        signers.add(Signer.parse(stripped));
      }
    }
    return new Trust(signers);
  }

  /** These and the others'. */
  public Trust and(Trust other) {
    List<Signer> all = new ArrayList<>(signers);
    all.addAll(other.signers);
    return new Trust(all);
  }

  /** Whether this key may sign in this log, at some time. */
  public boolean accepts(String log, String publicKey) {
    for (Signer s : signers) {
      if (s.publicKey().equals(publicKey) && s.speaksFor(log)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Whether this key may sign an entry of this log.
   *
   * @param time when the entry says that it was signed
   * @param latest the latest such time up to there in the log: who has a key that ran out could
   *     otherwise turn the clock back
   */
  public boolean accepts(String log, String publicKey, Instant time, Instant latest) {
    for (Signer s : signers) {
      boolean isOfTheTime = !time.isBefore(s.validAfter()) && latest.isBefore(s.validBefore());
      if (isOfTheTime && s.publicKey().equals(publicKey) && s.speaksFor(log)) {
        return true;
      }
    }
    return false;
  }

  /** The principals that are names, not patterns. */
  public Set<String> names() {
    Set<String> names = new TreeSet<>();
    signers.forEach(s -> names.addAll(s.principals()));
    names.removeIf(name -> name.indexOf('*') >= 0 || name.indexOf('?') >= 0);
    return names;
  }

  /** Whether anybody is pinned for this log. */
  public boolean knows(String log) {
    return signers.stream().anyMatch(s -> s.speaksFor(log));
  }

  /** Whether anybody is pinned at all. */
  public boolean pinsAnybody() {
    return !signers.isEmpty();
  }

  /** The {@code allowed_signers} file. */
  public String toAllowedSigners() {
    StringBuilder text = new StringBuilder();
    signers.forEach(s -> text.append(s).append('\n'));
    return text.toString();
  }

  /**
   * One line of the file.
   *
   * @param principals log names or patterns: {@code *} for any characters, {@code ?} for one
   * @param publicKey {@code ssh-ed25519 AAAA…}
   * @param validAfter entries of this time and later
   * @param validBefore entries before this time
   */
  public record Signer(
      List<String> principals, String publicKey, Instant validAfter, Instant validBefore) {
    private static final Pattern LINE =
        Pattern.compile(
            "(\\S+)\\s+(?:([a-z-]+=\"[^\"]*\"(?:,[a-z-]+=\"[^\"]*\")*)\\s+)?(ssh-ed25519)\\s+([A-Za-z0-9+/]{68})(?:\\s.*)?");

    private static final Pattern OPTION = Pattern.compile("([a-z-]+)=\"([^\"]*)\"");
    private static final Pattern PRINCIPAL = Pattern.compile("[a-z0-9._*?-]{1,120}");
    private static final Pattern TIME = Pattern.compile("([0-9]{8})([0-9]{4})?([0-9]{2})?Z");
    private static final DateTimeFormatter WRITTEN =
        DateTimeFormatter.ofPattern("uuuuMMddHHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

    public Signer {
      principals = List.copyOf(principals);
      for (String principal : principals) {
        if (!PRINCIPAL.matcher(principal).matches()) {
          throw new IllegalArgumentException(
              "a principal is the name of a log, or a pattern with * and ?: " + principal);
        }
      }
    }

    /** A key that is valid at all times. */
    public Signer(List<String> principals, String publicKey) {
      this(principals, publicKey, Instant.MIN, Instant.MAX);
    }

    static Signer parse(String line) {
      Matcher match = LINE.matcher(line);
      if (!match.matches()) {
        throw new IllegalArgumentException(
            "not a line of an allowed_signers file with an Ed25519 key and no option but namespaces, valid-after and valid-before: "
                + line);
      }
      Instant after = Instant.MIN;
      Instant before = Instant.MAX;
      Matcher options = OPTION.matcher(match.group(2) == null ? "" : match.group(2));
      while (options.find()) {
        switch (options.group(1)) {
          case "namespaces" -> requireNamespace(options.group(2), line);
          case "valid-after" -> after = time(options.group(2), line);
          case "valid-before" -> before = time(options.group(2), line);
          default ->
              throw new IllegalArgumentException(
                  "allowed_signers option '%s' is not understood: %s"
                      .formatted(options.group(1), line));
        }
      }
      return new Signer(
          List.of(match.group(1).toLowerCase(Locale.ROOT).split(",")),
          match.group(3) + " " + match.group(4),
          after,
          before);
    }

    private static void requireNamespace(String namespaces, String line) {
      if (!List.of(namespaces.split(",")).contains("stella-backup-v1")) {
        throw new IllegalArgumentException(
            "allowed_signers line is not for the namespace stella-backup-v1: " + line);
      }
    }

    /** Without Z it would be the time of whatever place the reader is in. */
    private static Instant time(String text, String line) {
      Matcher match = TIME.matcher(text);
      try {
        if (match.matches()) {
          String hours = match.group(2) == null ? "0000" : match.group(2);
          String seconds = match.group(3) == null ? "00" : match.group(3);
          return LocalDateTime.parse(match.group(1) + hours + seconds + "Z", WRITTEN)
              .toInstant(ZoneOffset.UTC);
        }
      } catch (DateTimeException e) {
        // Said below.
      }
      throw new IllegalArgumentException(
          "allowed_signers time '%s' is not YYYYMMDD[HHMM[SS]]Z, which is UTC: %s"
              .formatted(text, line));
    }

    boolean speaksFor(String log) {
      for (String principal : principals) {
        if (matches(principal, log)) {
          return true;
        }
      }
      return false;
    }

    /**
     * Whether a name fits a pattern; asked for each entry of each log. Where it does not fit, the
     * last {@code *} takes one character more.
     */
    private static boolean matches(String pattern, String name) {
      int at = 0;
      int star = -1;
      int taken = 0;
      int i = 0;
      while (i < name.length()) {
        char wanted = at < pattern.length() ? pattern.charAt(at) : 0;
        if (wanted == '*') {
          star = at++;
          taken = i;
        } else if (at < pattern.length() && (wanted == '?' || wanted == name.charAt(i))) {
          at++;
          i++;
        } else if (star >= 0) {
          at = star + 1;
          i = ++taken;
        } else {
          return false;
        }
      }
      while (at < pattern.length() && pattern.charAt(at) == '*') {
        at++;
      }
      return at == pattern.length();
    }

    @Override
    public String toString() {
      return String.join(",", principals)
          + " namespaces=\"stella-backup-v1\""
          + (validAfter.equals(Instant.MIN) ? "" : option("valid-after", validAfter))
          + (validBefore.equals(Instant.MAX) ? "" : option("valid-before", validBefore))
          + " "
          + publicKey;
    }

    private static String option(String name, Instant time) {
      return ",%s=\"%s\"".formatted(name, WRITTEN.format(time));
    }
  }
}
