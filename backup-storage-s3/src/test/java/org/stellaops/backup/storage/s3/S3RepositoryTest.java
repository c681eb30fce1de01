package org.stellaops.backup.storage.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.testkit.ProxyFault;
import org.stellaops.backup.testkit.ProxyPlan;

/** A repository's life in a bucket, on a good wire and on one that breaks at any request. */
class S3RepositoryTest {
  private static ProxiedServer server;
  private static AgeIdentity identity;
  @TempDir Path temp;

  @BeforeAll
  static void start() throws Exception {
    server = ProxiedServer.start();
    identity = AgeIdentity.generate();
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
    identity.close();
  }

  @BeforeEach
  void heal() {
    server.proxy().follow(ProxyPlan.none());
  }

  static Stream<ProxyFault> faults() {
    return Stream.of(
        ProxyFault.reset(),
        ProxyFault.resetInBody(1_000),
        ProxyFault.lostReply(),
        ProxyFault.status(503),
        ProxyFault.truncatedReply(50));
  }

  @Test
  void snapshots_are_taken_verified_restored_and_pruned() throws Exception {
    var host = new RepositoryInBucket(temp.resolve("a"), server.newSink().prefix("p"), identity);
    host.write(1, 500_000);
    host.backUp("first");
    host.write(2, 500_000);
    SnapshotId second = host.backUp("second");

    host.requireAllComplete();
    host.requireRestored(second, temp.resolve("restored"));

    // What may go is settled once the writer has read that it is doomed.
    PruneReport doomed = host.prune(1);
    assertEquals(1, doomed.retired().size(), doomed.toString());
    assertTrue(doomed.doomedObjects() > 0, doomed.toString());
    host.write(3, 500_000);
    SnapshotId third = host.backUp("third");
    PruneReport report = host.prune(2);

    assertEquals(List.of(), report.problems());
    assertTrue(report.deletedObjects() > 0, report.toString());
    host.requireAllComplete();
    host.requireRestored(third, temp.resolve("restored-again"));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void a_backup_over_a_wire_that_breaks_for_good_is_absent_or_complete(ProxyFault fault)
      throws Exception {
    exhaust(fault, 29);
  }

  @Tag("soak")
  @ParameterizedTest
  @MethodSource("faults")
  void a_backup_over_a_wire_that_breaks_for_good_anywhere_is_absent_or_complete(ProxyFault fault)
      throws Exception {
    exhaust(fault, 1);
  }

  private void exhaust(ProxyFault fault, int step) throws Exception {
    long requests = requestsOfABackup();
    assertTrue(requests > 20, "requests: " + requests);
    int first = Math.floorMod(fault.toString().hashCode(), step);
    for (long n = first; n < requests; n += step) {
      String when = fault + " from request " + n;
      var host = new RepositoryInBucket(temp.resolve("run-" + n), server.newSink(), identity);
      host.write(1, 100_000);
      boolean isReported = backUp(host, ProxyPlan.from(n, fault));

      server.proxy().follow(ProxyPlan.none());
      boolean isThere = host.isThere("snapshot");
      assertTrue(isThere || !isReported, when + ": reported, and not there");
      host.requireAllComplete();
      host.requireRestored(host.backUp("second"), temp.resolve("restored-" + n));
    }
  }

  private long requestsOfABackup() throws IOException {
    var host = new RepositoryInBucket(temp.resolve("count"), server.newSink(), identity);
    host.write(1, 100_000);
    server.proxy().follow(ProxyPlan.none());
    host.backUp("snapshot");
    return server.proxy().requests().size();
  }

  private static boolean backUp(RepositoryInBucket host, ProxyPlan plan) throws IOException {
    server.proxy().follow(plan);
    try {
      host.backUp("snapshot");
      return true;
    } catch (BackupException e) {
      return false;
    }
  }
}
