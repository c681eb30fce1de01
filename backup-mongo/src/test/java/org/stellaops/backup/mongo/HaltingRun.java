package org.stellaops.backup.mongo;

import com.mongodb.ConnectionString;
import com.mongodb.MongoClientSettings;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.event.CommandListener;
import com.mongodb.event.CommandStartedEvent;
import com.mongodb.event.CommandSucceededEvent;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.stellaops.backup.mongo.MongoTarget.Existing;
import org.stellaops.backup.mongo.internal.restore.RestoreSettings.Pace;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.RestoreHarness;

/**
 * A process that captures or restores, and is gone at its nth command without a word. Prints how
 * many there were if it comes to its end.
 */
final class HaltingRun implements CommandListener {
  static final int GONE = 137;

  private final AtomicInteger commands = new AtomicInteger();
  private final int haltAt;
  private final boolean isAnswered;

  private HaltingRun(int haltAt, boolean isAnswered) {
    this.haltAt = haltAt;
    this.isAnswered = isAnswered;
  }

  /**
   * Arguments: the connection string, {@code CAPTURE} or what a restore does with what is there,
   * the database, the directory of a capture, n, and whether the nth command was carried out.
   */
  public static void main(String[] arguments) throws Exception {
    HaltingRun run =
        new HaltingRun(Integer.parseInt(arguments[4]), Boolean.parseBoolean(arguments[5]));
    MongoClientSettings settings =
        MongoClientSettings.builder()
            .applyConnectionString(new ConnectionString(arguments[0]))
            .addCommandListener(run)
            .build();
    try (MongoClient client = MongoClients.create(settings)) {
      if (arguments[1].equals("CAPTURE")) {
        CaptureHarness.of(source(client, arguments[2])).capture();
      } else {
        MongoTarget target = target(client, arguments[2], Existing.valueOf(arguments[1]));
        RestoreHarness.of(target, KeptCapture.in(Path.of(arguments[3]))).restore();
      }
    }
    System.out.println(run.commands.get());
  }

  static MongoSource source(MongoClient client, String database) {
    return MongoSource.database(client, database).sized(2_000, Long.MAX_VALUE).parallelism(2);
  }

  static MongoTarget target(MongoClient client, String database, Existing existing) {
    return MongoTarget.into(client, database).existing(existing).pace(new Pace(2_000, 10));
  }

  @Override
  public void commandStarted(CommandStartedEvent event) {
    if (commands.incrementAndGet() == haltAt && !isAnswered) {
      Runtime.getRuntime().halt(GONE);
    }
  }

  @Override
  public void commandSucceeded(CommandSucceededEvent event) {
    if (commands.get() >= haltAt && haltAt > 0 && isAnswered) {
      Runtime.getRuntime().halt(GONE);
    }
  }
}
