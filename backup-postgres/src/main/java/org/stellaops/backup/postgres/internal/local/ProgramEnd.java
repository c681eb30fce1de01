package org.stellaops.backup.postgres.internal.local;

import java.util.LinkedHashMap;
import java.util.Map;
import org.stellaops.backup.postgres.PostgresFailure;

/**
 * How a program ended.
 *
 * @param status 0 where it did what it was told
 * @param errors the end of what it complained about, in one line
 */
public record ProgramEnd(int status, String errors) {
  /** What pg_dump, libpq and the server say in the language C. */
  private static final Map<String, PostgresFailure> KNOWN = known();

  /** Whether it did what it was told; one that was killed did not. */
  public boolean isGood() {
    return status == 0;
  }

  /** What went wrong. */
  public PostgresFailure failure() {
    return KNOWN.entrySet().stream()
        .filter(known -> errors.contains(known.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(PostgresFailure.PROGRAM_FAILED);
  }

  @Override
  public String toString() {
    return "status " + status + ": " + errors;
  }

  private static Map<String, PostgresFailure> known() {
    Map<String, PostgresFailure> known = new LinkedHashMap<>();
    known.put("affected by row-level security policy", PostgresFailure.ROW_SECURITY);
    known.put("server version mismatch", PostgresFailure.PROGRAM_VERSION);
    known.put("authentication failed", PostgresFailure.LOGIN_REFUSED);
    known.put("no password supplied", PostgresFailure.LOGIN_REFUSED);
    known.put("no pg_hba.conf entry", PostgresFailure.LOGIN_REFUSED);
    known.put("Connection refused", PostgresFailure.UNREACHABLE);
    known.put("invalid page in block", PostgresFailure.PAGE_CHECKSUM);
    known.put("permission denied", PostgresFailure.NOT_PERMITTED);
    return known;
  }
}
