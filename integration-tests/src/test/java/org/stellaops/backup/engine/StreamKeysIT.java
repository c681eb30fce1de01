package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.WriterId;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.testkit.MemorySink;

/** Streams go on under a writer's next key, and end with their writer. */
@Timeout(300)
class StreamKeysIT {
  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private AgeIdentity owner;
  private StreamHost host;
  private WriterId before;
  private WriterKeyFile stolen;

  @BeforeEach
  void recorded() throws Exception {
    owner = AgeIdentity.generate();
    host = new StreamHost(root.resolve("host"), owner, sink);
    host.backUp("base", 1, 0, 10);
    host.record(session -> ScriptedStream.append(session, 1, 0, 100));
    before = host.host.keys().id();
    stolen = WriterKeyFile.at(root.resolve("stolen.key"));
    Files.copy(
        root.resolve("host/writer.key"),
        root.resolve("stolen.key"),
        StandardCopyOption.COPY_ATTRIBUTES);
  }

  @AfterEach
  void wipe() {
    owner.close();
  }

  private void rotate() throws IOException {
    try (BackupEngine engine = host.host.with(StreamHost.capture(1, 0, 10), sink).open()) {
      engine.keys().rotateWriter();
    }
  }

  private void assertRecorded(Trust trust, SliceSpan... ranges) throws IOException {
    try (BackupRepository reader = BackupRepository.at(sink).trust(trust).open()) {
      assertEquals(List.of(ranges), reader.catalog().streams().get(0).ranges());
    }
  }

  private List<Finding> damage(Trust trust) throws IOException {
    try (BackupRepository reader = BackupRepository.at(sink).trust(trust).open()) {
      return reader.catalog().damage();
    }
  }

  private ObjectName newest() throws IOException {
    return sink.raw().names().stream()
        .filter(n -> n.value().startsWith("log/" + StreamHost.LOG + "/"))
        .max(Comparator.comparing(ObjectName::value))
        .orElseThrow();
  }

  private String text(ObjectName entry) throws IOException {
    return new String(sink.raw().read(entry), StandardCharsets.US_ASCII);
  }

  @Test
  void a_stream_goes_on_under_the_next_key_and_readers_of_either_follow() throws Exception {
    rotate();
    host.record(session -> ScriptedStream.append(session, 1, 100, 200));
    WriterId next = host.host.keys().id();
    host.host.backUp(StreamHost.capture(1, 0, 10), "under-the-next");
    for (Trust trust : List.of(Trust.owner(before), Trust.owner(next))) {
      assertRecorded(trust, ToyLog.span(1, 0, 200));
      assertEquals(List.of(), damage(trust));
    }
    assertEquals(List.of(ToyLog.span(1, 0, 200)), host.replayed().coverage.orElseThrow().ranges());
  }

  @Test
  void who_kept_the_old_key_hides_nothing_by_replacing_it() throws Exception {
    rotate();
    host.record(session -> ScriptedStream.append(session, 1, 100, 200));
    String first = text(ObjectName.of("log/" + StreamHost.LOG + "/0000000001.entry"));
    ObjectName newest = newest();
    long slot = Long.parseLong(newest.value().replaceAll(".*/0*([0-9]+)\\.entry", "$1"));
    int seen = first.indexOf("\n# seen: ");
    String body =
        first.substring(first.indexOf('\n', seen + 1) + 1, first.indexOf("\n#sig ") + 1)
            + "# replaces: 1.."
            + slot
            + "\n";
    sink.raw()
        .write(
            ObjectName.of("log/%s/%010d.entry".formatted(StreamHost.LOG, slot + 1)),
            Forgery.after(text(newest))
                .body(body)
                .signedBy(stolen)
                .getBytes(StandardCharsets.US_ASCII));
    assertRecorded(Trust.owner(before), ToyLog.span(1, 0, 200));
    List<Finding> damage = damage(Trust.owner(before));
    assertTrue(
        damage.stream().anyMatch(f -> f.code() == CoreFailure.KEY_RETIRED), damage.toString());
  }

  @Test
  void a_recording_that_a_rotation_overtakes_stops_before_anything_is_lost() throws Exception {
    AtomicReference<BackupException> thrown = new AtomicReference<>();
    host.record(
        session -> {
          ScriptedStream.append(session, 1, 100, 150);
          rotate();
          thrown.set(
              assertThrows(
                  BackupException.class, () -> ScriptedStream.append(session, 1, 150, 200)));
        });
    assertEquals(CoreFailure.STREAM_TAKEN, thrown.get().code());
    assertRecorded(Trust.owner(before), ToyLog.span(1, 0, 150));
    host.record(session -> ScriptedStream.append(session, 1, 150, 200));
    assertRecorded(Trust.owner(before), ToyLog.span(1, 0, 200));
    assertEquals(List.of(), damage(Trust.owner(before)));
  }

  @Test
  void a_seal_ends_the_streams_of_its_writer_too() throws Exception {
    WriterKeyFile admin = WriterKeyFile.at(root.resolve("admin.key")).named("ops-admin");
    admin.open().close();
    Trust trust =
        Trust.owner(before)
            .and(new Trust(List.of(new Trust.Signer(List.of("admin"), admin.id().publicKey()))));
    try (BackupRepository repository =
        BackupRepository.at(sink).trust(trust).signedBy(admin).open()) {
      repository.keys().seal("host-a", "host lost");
    }
    assertRecorded(trust, ToyLog.span(1, 0, 100));
    assertEquals(List.of(), damage(trust));
    assertEquals(Optional.of(CoreFailure.SEALED), refusal(trust));
    sink.raw()
        .write(
            ObjectName.of("log/%s/0000000003.entry".formatted(StreamHost.LOG)),
            Forgery.after(text(newest()))
                .body("# replaces: 1..2\n")
                .replace("kind: seal", "kind: segment")
                .signedBy(stolen)
                .getBytes(StandardCharsets.US_ASCII));
    assertRecorded(trust, ToyLog.span(1, 0, 100));
    assertTrue(damage(trust).stream().anyMatch(f -> f.code() == CoreFailure.SEALED));
  }

  /** Why this writer cannot go on recording. */
  private Optional<CoreFailure> refusal(Trust trust) throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    AtomicReference<BackupException> why = new AtomicReference<>();
    BackupListener listener =
        new BackupListener() {
          @Override
          public void streamFailed(SourceName stream, BackupException failure) {
            why.set(failure);
            over.countDown();
          }
        };
    BackupPlan plan =
        host.host.plan(sink).trust(trust).source(Host.SOURCE, StreamHost.capture(1, 0, 10)).stream(
                StreamHost.STREAM, ScriptedStream.doing(session -> {}, new CountDownLatch(1)))
            .build();
    try (BackupEngine engine = host.host.with(plan).listener(listener).open()) {
      engine.stream(StreamHost.STREAM);
      assertTrue(over.await(60, TimeUnit.SECONDS), "it was refused");
    }
    return Optional.of((CoreFailure) why.get().code());
  }
}
