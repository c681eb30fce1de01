package org.stellaops.backup.mongo;

import com.mongodb.ConnectionString;
import com.mongodb.MongoClientSettings;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.event.CommandListener;
import com.mongodb.event.CommandStartedEvent;
import java.nio.file.Path;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.stellaops.backup.mongo.internal.restore.RestoreSettings.Pace;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.RestoreHarness;

/**
 * A process that restores an archive and is gone at its nth insert, without a word: arguments are
 * the connection string, the database, the archive and n.
 */
final class HaltingRestore {
  static final int GONE = 137;

  private HaltingRestore() {}

  /** Never returns by itself before the nth insert. */
  public static void main(String[] arguments) throws Exception {
    AtomicInteger inserts = new AtomicInteger(Integer.parseInt(arguments[3]));
    CommandListener halting =
        new CommandListener() {
          @Override
          public void commandStarted(CommandStartedEvent event) {
            if (event.getCommandName().equals("insert") && inserts.decrementAndGet() == 0) {
              Runtime.getRuntime().halt(GONE);
            }
          }
        };
    MongoClientSettings settings =
        MongoClientSettings.builder()
            .applyConnectionString(new ConnectionString(arguments[0]))
            .addCommandListener(halting)
            .build();
    try (MongoClient client = MongoClients.create(settings)) {
      MongoTarget target = MongoTarget.into(client, arguments[1]).pace(new Pace(20_000, 50));
      RestoreHarness.of(
              new ParallelTarget(target, Executors.newFixedThreadPool(4)),
              CaptureHarness.of(MongoArchiveSource.of(Path.of(arguments[2]))).capture())
          .restore();
    }
  }
}
