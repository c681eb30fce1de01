package org.stellaops.backup.model;

import java.util.regex.Pattern;

/**
 * Who may commit to a log.
 *
 * @param name of the log: {@code [a-z0-9][a-z0-9_-]{0,59}}, without dots, since a dot begins the
 *     name of a stream
 * @param publicKey {@code ssh-ed25519 AAAA…}, as OpenSSH writes it, without a comment
 */
public record WriterId(String name, String publicKey) {
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9_-]{0,59}");
  private static final Pattern KEY = Pattern.compile("ssh-ed25519 [A-Za-z0-9+/]{68}");

  public WriterId {
    if (!NAME.matcher(name).matches()
        || name.equals("admin")
        || name.equals("retention")
        || name.equals("verify")) {
      throw new IllegalArgumentException(
          "writer name must be 1 to 60 of a-z 0-9 _ - and not admin, retention or verify: " + name);
    }
    if (!KEY.matcher(publicKey).matches()) {
      throw new IllegalArgumentException(
          "not an Ed25519 public key as OpenSSH writes it: " + publicKey);
    }
  }
}
