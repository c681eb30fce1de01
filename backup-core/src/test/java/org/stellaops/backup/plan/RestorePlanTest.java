package org.stellaops.backup.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotName;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.plan.RestorePlan.Part;
import org.stellaops.backup.spi.RestorePlanning.Undo;
import org.stellaops.backup.spi.TargetDescription;

class RestorePlanTest {
  private static final Instant NOON = Instant.parse("2026-11-20T12:00:00.123Z");
  private static final SnapshotId ID = new SnapshotId("01jd4k0000000000000000000a");
  private static final Digest DIGEST = Digest.ofContent(new byte[0]);

  private static final Part DATABASE =
      part("database", "postgres-physical/1", 1_234_567_890, "/var/lib/db", Undo.REMOVE);
  private static final Part CONFIG =
      part("config", "files/1", 999, "/etc/service", Undo.SWAP_BACK, "service.yaml");

  private static Part part(
      String source, String kind, long bytes, String target, Undo undo, String... overwrites) {
    CaptureHeader captured =
        new CaptureHeader(
            ID,
            SourceName.of(source),
            Component.of(source),
            SourceKind.of(kind),
            NOON,
            1,
            Outcome.GOOD,
            List.of(),
            Optional.empty(),
            bytes,
            bytes / 2,
            bytes / 2);
    return new Part(
        captured,
        new TargetDescription(target, Map.of()),
        Optional.of(new TargetState(TargetState.Occupancy.EMPTY, DIGEST, target + " is empty")),
        undo,
        List.of("unpack to " + target),
        List.of(overwrites),
        Map.of("start", "systemctl start " + source));
  }

  private static RestorePlan plan(List<Finding> blockers, Part... parts) {
    SnapshotSummary snapshot =
        new SnapshotSummary(
            ID,
            SnapshotName.of("nightly"),
            "test",
            "host-a",
            1,
            DIGEST,
            NOON,
            Outcome.GOOD,
            Map.of(Component.CONFIG, 1, Component.DATABASE, 1),
            List.of(),
            true,
            List.of());
    return new RestorePlan(snapshot, RestoreRequest.of(ID), List.of(parts), blockers, Map.of());
  }

  @Test
  void it_says_what_goes_where_and_over_what() {
    RestorePlan plan = plan(List.of(), CONFIG, DATABASE);
    assertEquals(
        """
        restore of snapshot nightly (01jd4k0000000000000000000a)
        taken 2026-11-20 12:00:00 UTC, GOOD, in the log host-a, signed by a pinned key

          source    kind                 captured                 size    target
          config    files/1              2026-11-20 12:00:00 UTC  999 B   /etc/service
          database  postgres-physical/1  2026-11-20 12:00:00 UTC  1.2 GB  /var/lib/db

          config
            now: /etc/service is empty
            will unpack to /etc/service
            replaces service.yaml
            if it fails, what is there now is put back
            afterwards: start: systemctl start config

          database
            now: /var/lib/db is empty
            will unpack to /var/lib/db
            replaces nothing
            if it fails, what was written is removed
            afterwards: start: systemctl start database

        digest %s"""
            .formatted(plan.digest()),
        plan.describe());
  }

  @Test
  void what_stands_in_the_way_comes_with_the_next_step() {
    Finding blocker = new Finding(CoreFailure.TARGET_MISSING, "config", "has no target");
    RestorePlan plan = plan(List.of(blocker), DATABASE);
    assertFalse(plan.isPossible());
    assertEquals(
        """
          BLOCKED STELLA-602 config: has no target
            next step: name a target for this source
        """,
        plan.describe()
            .lines()
            .filter(l -> l.matches(" +(BLOCKED|next step).*"))
            .map(l -> l + "\n")
            .reduce("", String::concat));
  }

  @Test
  void its_digest_is_of_what_will_be_done() {
    Digest digest = plan(List.of(), CONFIG).digest();
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG"));
      assertEquals(digest, plan(List.of(), CONFIG).digest());
    } finally {
      Locale.setDefault(before);
    }
    assertNotEquals(digest, plan(List.of(), DATABASE).digest());
    assertNotEquals(
        digest,
        plan(List.of(), part("config", "files/1", 999, "/etc/service", Undo.SWAP_BACK)).digest());
  }
}
