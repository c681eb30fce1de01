package org.stellaops.backup.postgres.internal.receive;

import java.util.Optional;
import java.util.OptionalLong;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.postgres.PostgresFailure;

/**
 * How much WAL a server keeps for a slot, by its view pg_replication_slots.
 *
 * @param status column wal_status; {@code null} as text if the slot holds nothing
 * @param safeBytes column safe_wal_size: what can be written before the slot is in danger, negative
 *     once it is; empty where the server does not say
 * @param allowedBytes what it may hold; empty for no limit
 */
record SlotHold(String status, OptionalLong safeBytes, OptionalLong allowedBytes) {
  /** Of what the slot may hold, so much has to be left. */
  private static final double ENOUGH_LEFT = 0.25;

  /** What somebody has to hear. */
  record Alarm(FailureCode code, String found) {}

  /** Empty if all is well. */
  Optional<Alarm> alarm() {
    return switch (status) {
      case "lost" ->
          Optional.of(new Alarm(PostgresFailure.SLOT_LOST, "the server has given it up"));
      case "unreserved" ->
          Optional.of(
              new Alarm(
                  PostgresFailure.SLOT_AT_RISK,
                  "the server will remove WAL that is not recorded at its next checkpoint"));
      default -> isNarrow() ? Optional.of(behind()) : Optional.empty();
    };
  }

  private boolean isNarrow() {
    return allowedBytes.isPresent()
        && safeBytes.isPresent()
        && safeBytes.getAsLong() < allowedBytes.getAsLong() * ENOUGH_LEFT;
  }

  private Alarm behind() {
    return new Alarm(
        PostgresFailure.SLOT_BEHIND,
        "it may hold %d bytes of WAL, %d are left"
            .formatted(allowedBytes.orElseThrow(), Math.max(0, safeBytes.orElseThrow())));
  }
}
