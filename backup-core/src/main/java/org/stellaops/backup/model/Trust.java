package org.stellaops.backup.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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
   * comments are passed over. Options other than {@code namespaces} are refused, since ignoring one
   * would trust too much.
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

  /** Whether this key may sign in this log. */
  public boolean accepts(String log, String publicKey) {
    return signers.stream().anyMatch(s -> s.publicKey().equals(publicKey) && s.speaksFor(log));
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
   */
  public record Signer(List<String> principals, String publicKey) {
    private static final Pattern LINE =
        Pattern.compile(
            "(\\S+)\\s+(?:namespaces=\"([^\"]*)\"\\s+)?(ssh-ed25519)\\s+([A-Za-z0-9+/]{68})(?:\\s.*)?");

    private static final Pattern PRINCIPAL = Pattern.compile("[a-z0-9._*?-]{1,120}");

    public Signer {
      principals = List.copyOf(principals);
      for (String principal : principals) {
        if (!PRINCIPAL.matcher(principal).matches()) {
          throw new IllegalArgumentException(
              "a principal is the name of a log, or a pattern with * and ?: " + principal);
        }
      }
    }

    static Signer parse(String line) {
      var match = LINE.matcher(line);
      if (!match.matches()) {
        throw new IllegalArgumentException(
            "not a line of an allowed_signers file with an Ed25519 key and no option but namespaces: "
                + line);
      }
      String namespaces = match.group(2);
      if (namespaces != null && !List.of(namespaces.split(",")).contains("stella-backup-v1")) {
        throw new IllegalArgumentException(
            "allowed_signers line is not for the namespace stella-backup-v1: " + line);
      }
      return new Signer(
          List.of(match.group(1).toLowerCase(Locale.ROOT).split(",")),
          match.group(3) + " " + match.group(4));
    }

    boolean speaksFor(String log) {
      return principals.stream().anyMatch(p -> Pattern.matches(regex(p), log));
    }

    private static String regex(String principal) {
      return principal.replace(".", "\\.").replace("*", ".*").replace("?", ".");
    }

    @Override
    public String toString() {
      return String.join(",", principals) + " namespaces=\"stella-backup-v1\" " + publicKey;
    }
  }
}
