package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Freshness;
import org.stellaops.backup.model.RunRecord.State;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.spi.BackupSink;

/** What a catalog says of a run that began after the newest snapshot, and crashed. */
class CrashedRunIT {
  private static final BytesSource SOURCE = BytesSource.of("a", Fixture.random(1, 3000));

  @TempDir Path root;
  private AgeIdentity owner;
  private BackupSink sink;
  private Host host;
  private Instant committed;

  @BeforeEach
  void aRunCrashed() throws IOException {
    owner = AgeIdentity.generate();
    sink = DirectorySink.at(root.resolve("repository"));
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    host.backUp(SOURCE, "first").requireGood();
    committed = freshness(Instant.now()).time();
    boolean[] isDead = {false};
    BackupSink dying =
        HookedStore.on(
            sink,
            operation -> {
              isDead[0] |= operation.startsWith("put w/host-a/");
              if (isDead[0]) {
                throw new BackupException.Sink(
                    CoreFailure.SINK_FAILED,
                    BackupException.Sink.Reason.REFUSED,
                    "the process is gone");
              }
            });
    assertThrows(BackupException.Sink.class, () -> host.backUp(SOURCE, "second", dying));
  }

  @AfterEach
  void wipe() {
    owner.close();
  }

  private BackupRepository reader(Instant now) throws IOException {
    return BackupRepository.at(sink)
        .trust(Trust.owner(host.keys().id()))
        .clock(() -> now)
        .executor(Runnable::run)
        .open();
  }

  private List<State> states(Instant now) throws IOException {
    try (BackupRepository reader = reader(now)) {
      return reader.catalog().runs().stream().map(r -> r.state()).toList();
    }
  }

  private Freshness freshness(Instant now) throws IOException {
    try (BackupRepository reader = reader(now)) {
      return reader.catalog().freshness().get(0);
    }
  }

  @Test
  void it_counts_as_silent_when_its_lease_is_over() throws Exception {
    Instant now = Instant.now();
    assertEquals(List.of(State.RUNNING, State.COMMITTED), states(now));
    assertEquals(List.of(State.SILENT, State.COMMITTED), states(now.plus(Duration.ofMinutes(11))));
    host.backUp(SOURCE, "third").requireGood();
    assertEquals(
        List.of(State.COMMITTED, State.ABANDONED, State.COMMITTED),
        states(now.plus(Duration.ofMinutes(11))));
  }

  @Test
  void another_instance_that_may_not_delete_takes_over_all_the_same() throws Exception {
    try (Stream<Path> files = Files.walk(root.resolve("repository"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(Duration.ofMinutes(11))));
      }
    }
    BackupSink denying =
        HookedStore.on(
            sink,
            operation -> {
              if (operation.startsWith("delete ")) {
                throw new BackupException.Sink(
                    CoreFailure.SINK_DENIED, BackupException.Sink.Reason.DENIED, "not yours");
              }
            });
    BackupPlan plan = host.plan(denying).source(Host.SOURCE, SOURCE).build();
    try (BackupEngine engine = host.with(plan).instance("host-b").open()) {
      engine.backup(BackupRequest.full()).requireGood();
    }
    assertEquals(List.of(State.COMMITTED, State.ABANDONED, State.COMMITTED), states(Instant.now()));
  }

  @Test
  void it_makes_nothing_fresh() throws Exception {
    Freshness now = freshness(Instant.now());
    assertEquals(3, now.newest().sequence());
    assertEquals(committed, now.time());
  }

  @Test
  void an_entry_of_a_run_that_cannot_be_read_is_damage() throws Exception {
    Path entry = root.resolve("repository/log/host-a/0000000003.entry");
    String text = Files.readString(entry, StandardCharsets.US_ASCII);
    Files.delete(entry);
    Files.writeString(
        entry,
        Forgery.same(text).replace("# lease: .*", "# lease: soon").signedBy(host.keys()),
        StandardCharsets.US_ASCII);
    try (BackupRepository reader = reader(Instant.now())) {
      List<Finding> damage = reader.catalog().damage();
      assertTrue(
          damage.stream()
              .anyMatch(
                  f ->
                      f.code() == CoreFailure.MALFORMED
                          && f.subject().equals("log/host-a/0000000003.entry")),
          damage.toString());
    }
  }
}
