package org.stellaops.backup.model;

/**
 * Something a run noticed.
 *
 * @param code what kind of thing
 * @param subject on what: a file, an object, a table
 * @param found what was expected and what was found; never a secret
 */
public record Finding(FailureCode code, String subject, String found) {
  @Override
  public String toString() {
    return code.code() + " " + subject + ": " + found;
  }
}
