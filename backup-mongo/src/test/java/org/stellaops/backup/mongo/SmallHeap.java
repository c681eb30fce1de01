package org.stellaops.backup.mongo;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/**
 * A process that captures a database and restores it under another name: arguments are the
 * connection string, both databases, and a directory for what is captured.
 */
final class SmallHeap {
  private SmallHeap() {}

  public static void main(String[] arguments) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (MongoClient client = MongoClients.create(arguments[0])) {
      Captured captured =
          CaptureHarness.of(
                  MongoSource.database(() -> Secret.of(arguments[0]), arguments[1]).parallelism(2))
              .executor(threads)
              .spoolTo(Path.of(arguments[3]))
              .capture();
      System.out.println("captured");
      RestoreHarness.of(
              new ParallelTarget(MongoTarget.into(client, arguments[2]), threads), captured)
          .restore();
      System.out.println("restored");
    } finally {
      threads.shutdown();
    }
  }
}
