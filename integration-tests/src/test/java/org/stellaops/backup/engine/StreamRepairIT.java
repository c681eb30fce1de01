package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RepairReport;
import org.stellaops.backup.plan.RepairPlan;
import org.stellaops.backup.plan.RepairRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.testkit.Damage;
import org.stellaops.backup.testkit.MemorySink;

/** Entries of a recorded stream that are lost or damaged are taken from a copy. */
class StreamRepairIT {
  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private AgeIdentity owner;
  private StreamHost host;

  @BeforeEach
  void aRecordedStream() throws Exception {
    owner = AgeIdentity.generate();
    host = new StreamHost(root.resolve("host"), owner, sink);
    host.backUp("base", 1, 0, 10);
    host.record(
        session -> {
          for (long at = 0; at < 40; at += 10) {
            ScriptedStream.append(session, 1, at, at + 10);
          }
        });
  }

  @AfterEach
  void nothingIsOpen() {
    owner.close();
    sink.assertNothingOpen();
  }

  @Test
  void every_entry_is_stored_again_byte_for_byte() throws Exception {
    SortedMap<ObjectName, byte[]> whole = sink.snapshot();
    MemorySink copy = new MemorySink();
    copy.reset(whole);
    List<ObjectName> entries =
        whole.keySet().stream()
            .filter(n -> n.value().startsWith("log/" + StreamHost.LOG + "/"))
            .toList();
    assertFalse(entries.size() < 3, entries.toString());
    for (ObjectName entry : entries) {
      for (Damage damage : List.of(Damage.drop(entry), Damage.flip(entry, 50, 1))) {
        sink.reset(whole);
        damage.inflict(sink.raw());
        RepairReport report = repaired(copy);
        assertTrue(report.isWhole(), damage + ": " + report);
        for (var object : whole.entrySet()) {
          assertArrayEquals(
              object.getValue(), sink.raw().read(object.getKey()), damage + ": " + object.getKey());
        }
      }
    }
  }

  private RepairReport repaired(MemorySink copy) throws IOException {
    try (BackupEngine engine = host.host.with(StreamHost.capture(1, 0, 10), sink).open()) {
      RepairRequest request = RepairRequest.of(Verification.stored()).from(copy);
      RepairReport report;
      int rounds = 0;
      do {
        RepairPlan plan = engine.planRepair(request);
        report = engine.repair(plan, Confirmation.of(plan.digest()));
      } while (report.isToBeRepeated() && ++rounds < 5);
      return report;
    }
  }
}
