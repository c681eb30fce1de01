package org.stellaops.backup.model;

/**
 * Consent, bound by digest to exactly one thing that was shown.
 *
 * @param of digest of what was shown
 * @param actor who consents, or empty
 * @param reason why, or empty
 */
public record Confirmation(Digest of, String actor, String reason) {
  /** Consent to what has this digest. */
  public static Confirmation of(Digest shown) {
    return new Confirmation(shown, "", "");
  }

  /** The same consent with a name and a reason to it. */
  public Confirmation by(String actor, String reason) {
    return new Confirmation(of, actor, reason);
  }
}
