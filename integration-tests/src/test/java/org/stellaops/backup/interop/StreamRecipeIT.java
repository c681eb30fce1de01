package org.stellaops.backup.interop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.ContinuousSource;
import org.stellaops.backup.spi.SourceDescription;
import org.stellaops.backup.spi.StreamSession;

/** What {@code docs/format/stream.md} says about stock tools, as it is written there. */
@Tag("interop")
class StreamRecipeIT {
  private static final int SEGMENT_BYTES = 16 << 20;
  private static final int END = SEGMENT_BYTES + 300_000;

  @TempDir Path directory;
  private final byte[] history = new byte[END];
  private StockTools tools;

  @BeforeEach
  void makeTools() throws IOException {
    tools = new StockTools(directory);
    new Random(20261121).nextBytes(history);
  }

  @AfterEach
  void leave() throws IOException {
    tools.close();
  }

  @Test
  void the_recipes_give_the_bytes_of_a_branch_in_segments() throws Exception {
    Path owner = directory.resolve("owner.txt");
    try (AgeIdentity identity = AgeIdentity.generate()) {
      identity.writeTo(owner);
      record(identity);
    }
    Path out = Files.createDirectory(directory.resolve("out"));
    tools
        .with("LC_ALL", "C")
        .with("L", "log/host-a.wal")
        .with("B", "1")
        .with("I", owner.toString())
        .with("S", Files.createDirectory(directory.resolve("by-hand")).toString())
        .with("O", out.toString())
        .bash(
            "-euo", "pipefail", "-c", "cd '" + directory.resolve("repository") + "'\n" + recipes())
        .good();
    try (Stream<Path> files = Files.list(out)) {
      assertEquals(2, files.count());
    }
    assertArrayEquals(
        Arrays.copyOf(history, SEGMENT_BYTES), Files.readAllBytes(out.resolve("segment.aa")));
    assertArrayEquals(
        Arrays.copyOfRange(history, SEGMENT_BYTES, END),
        Files.readAllBytes(out.resolve("segment.ab")));
    assertEquals(4, Files.readAllLines(directory.resolve("by-hand/entries")).size());
  }

  private static String recipes() throws IOException {
    String page = Files.readString(Path.of("..", "docs", "format", "stream.md"));
    String[] blocks = page.substring(page.indexOf("## With stock tools")).split("```\n");
    assertEquals(4, blocks.length, "two recipes, and text around them");
    return blocks[1] + blocks[3];
  }

  /** Pieces, merged ones, an overlap, another branch, and something behind a gap. */
  private void script(StreamSession session) throws IOException {
    append(session, 1, 0, 5_000_000);
    append(session, 1, 5_000_000, 5_000_001);
    append(session, 1, 5_000_001, 9_000_000);
    SliceSpan whole = span(1, 0, 9_000_000);
    session.merge(whole, out -> out.write(history, 0, 9_000_000));
    append(session, 1, 8_999_000, END);
    append(session, 2, 100, 200);
    session.gap(new StreamGap(at(1, END), at(1, END + 5), "lost"));
  }

  private void append(StreamSession session, long branch, int from, int to) throws IOException {
    session.append(span(branch, from, to), out -> out.write(history, from, to - from));
  }

  private static SliceSpan span(long branch, long from, long to) {
    return SliceSpan.of(at(branch, from), at(branch, to));
  }

  private static Position at(long branch, long offset) {
    return new Position("system-1", branch, offset, "0/" + Long.toHexString(offset));
  }

  private void record(AgeIdentity owner) throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    BackupPlan plan =
        BackupPlan.named("test").stream("wal", new Scripted(done))
            .source("files", new Blobs().with("empty", new byte[0]))
            .encryptTo(owner.recipient())
            .writer(WriterKeyFile.at(directory.resolve("writer.key")).named("host-a"))
            .sink(DirectorySink.at(directory.resolve("repository")))
            .build();
    try (BackupEngine engine = BackupEngine.open(plan)) {
      var stream = engine.stream("wal");
      assertTrue(done.await(120, TimeUnit.SECONDS), () -> stream.status().toString());
    }
  }

  private final class Scripted implements ContinuousSource {
    private final CountDownLatch done;

    Scripted(CountDownLatch done) {
      this.done = done;
    }

    @Override
    public SourceDescription describe() {
      return SourceDescription.of("toy-log/1", Component.of("database"), Stage.DATABASE);
    }

    @Override
    public void check(Checks checks) {}

    @Override
    public void follow(StreamSession session) throws IOException {
      if (session.durable().isEmpty()) {
        script(session);
      }
      done.countDown();
    }
  }
}
