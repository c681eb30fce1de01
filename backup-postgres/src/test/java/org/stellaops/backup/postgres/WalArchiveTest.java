package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.postgres.internal.wal.SegmentSize;
import org.stellaops.backup.postgres.internal.wal.WalSegmentName;

/** What the archive's endpoint accepts, and what it answers to everything else. */
@Timeout(60)
class WalArchiveTest {
  private static final SegmentSize SMALL = new SegmentSize(1 << 20);
  private static final long SYSTEM = 7_400_000_000_000_000_001L;
  private static final int MAGIC_17 = 0xD116;
  private static final byte[] HISTORY =
      "1\t0/300000\tno recovery target specified\n".getBytes(StandardCharsets.US_ASCII);

  @TempDir Path directory;
  private final MemoryStreamSession session = new MemoryStreamSession();
  private final CompletableFuture<Integer> port = new CompletableFuture<>();
  private final CompletableFuture<Void> following = new CompletableFuture<>();

  private void follow() {
    follow(PostgresWalArchive.listeningOn(0, token()));
  }

  private Path token() {
    return directory.resolve("token");
  }

  private void follow(PostgresWalArchive archive) {
    PostgresWalArchive told = archive.whenListening(address -> port.complete(address.getPort()));
    Thread thread =
        new Thread(
            () -> {
              try {
                told.follow(session);
                following.complete(null);
              } catch (IOException | RuntimeException e) {
                following.completeExceptionally(e);
              }
            });
    thread.setDaemon(true);
    thread.start();
  }

  @AfterEach
  void stop() {
    session.stop();
  }

  /** A segment in which nothing was written yet. */
  private static byte[] segment(WalSegmentName name, long system) {
    byte[] bytes = new byte[name.size().bytes()];
    ByteBuffer page = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    page.putShort((short) MAGIC_17).putShort((short) 2).putInt((int) name.timeline());
    page.putLong(name.start().position()).putInt(0).putInt(0);
    page.putLong(system).putInt(name.size().bytes()).putInt(8192);
    return bytes;
  }

  private static WalSegmentName small(int number) {
    return new WalSegmentName(1, new Lsn((long) number << 20), SMALL);
  }

  private int put(int number) throws Exception {
    return put(small(number).toString(), segment(small(number), SYSTEM));
  }

  private int put(String name, byte[] bytes) throws Exception {
    return put(name, bytes, Files.readString(token()).strip().replace("Authorization: ", ""));
  }

  private int put(String name, byte[] bytes, String authorization) throws Exception {
    URI uri = URI.create("http://127.0.0.1:" + port.get(20, TimeUnit.SECONDS) + "/wal/" + name);
    HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
    connection.setRequestMethod("PUT");
    connection.setDoOutput(true);
    connection.setRequestProperty("Authorization", authorization);
    connection.setFixedLengthStreamingMode(bytes.length);
    try (OutputStream out = connection.getOutputStream()) {
      out.write(bytes);
    }
    return connection.getResponseCode();
  }

  @Test
  void segments_become_slices_and_the_same_one_again_changes_nothing() throws Exception {
    follow();
    port.get(20, TimeUnit.SECONDS);
    assertEquals(200, put(3));
    assertEquals(200, put(4));
    assertEquals(200, put(3));

    assertEquals(
        List.of("1@0/300000 to 0/400000", "1@0/400000 to 0/500000"),
        session.slices.keySet().stream().map(Object::toString).toList());
    assertEquals(List.of(), session.found);
    session.stop();
    following.get(20, TimeUnit.SECONDS);
  }

  @Test
  void a_large_segment_becomes_slices_of_16_mib() throws Exception {
    follow();
    port.get(20, TimeUnit.SECONDS);
    WalSegmentName large = new WalSegmentName(1, new Lsn(64 << 20), new SegmentSize(64 << 20));
    assertEquals(200, put(large.toString(), segment(large, SYSTEM)));

    assertEquals(4, session.slices.size());
    assertTrue(session.slices.values().stream().allMatch(b -> b.length == 16 << 20));
  }

  @Test
  void other_bytes_another_cluster_damage_and_a_hole_are_refused_and_found() throws Exception {
    follow();
    port.get(20, TimeUnit.SECONDS);
    assertEquals(200, put(3));
    byte[] other = segment(small(3), SYSTEM);
    // What a reader does not look at: the four unused bytes of the header.
    other[20] = 1;
    assertEquals(409, put(small(3).toString(), other));
    assertEquals(409, put(small(4).toString(), segment(small(4), SYSTEM + 1)));
    byte[] damaged = segment(small(4), SYSTEM);
    damaged[500_000] = 1;
    assertEquals(422, put(small(4).toString(), damaged));
    assertEquals(409, put(5));

    assertEquals(1, session.slices.size());
    assertEquals(
        List.of(
            CoreFailure.STREAM_DIFFERS,
            CoreFailure.STREAM_LINEAGE,
            PostgresFailure.WAL_DAMAGED,
            CoreFailure.STREAM_GAP),
        session.found);
    assertEquals(200, put(4));
    assertEquals(200, put(5));
    assertEquals(200, put(2), "older than all");
  }

  @Test
  void a_hole_that_is_accepted_is_recorded_as_one() throws Exception {
    follow(PostgresWalArchive.listeningOn(0, token()).acceptGaps());
    port.get(20, TimeUnit.SECONDS);
    assertEquals(200, put(3));
    assertEquals(200, put(9));

    assertEquals(1, session.gaps.size());
    assertEquals("0/400000", session.gaps.get(0).from().text());
    assertEquals("0/900000", session.gaps.get(0).to().text());
    assertEquals(List.of(CoreFailure.STREAM_GAP), session.found);
  }

  @Test
  void names_lengths_and_tokens_are_looked_at_before_anything() throws Exception {
    follow();
    port.get(20, TimeUnit.SECONDS);
    // So short that all of it is sent before it is refused.
    byte[] bytes = new byte[1000];
    assertEquals(401, put(small(3).toString(), bytes, "Bearer " + "0".repeat(64)));
    assertEquals(400, put("passwd", bytes));
    assertEquals(400, put("..%2F" + small(3), bytes));
    assertEquals(400, put(small(3).toString(), bytes));
    WalSegmentName twice = new WalSegmentName(1, new Lsn(2 << 20), new SegmentSize(2 << 20));
    byte[] wrong = segment(twice, SYSTEM);
    wrong[34] = 0x10;
    assertEquals(400, put(twice.toString(), wrong));

    assertTrue(session.slices.isEmpty());
  }

  @Test
  void histories_and_partial_segments_are_kept_and_backup_labels_are_not() throws Exception {
    follow();
    port.get(20, TimeUnit.SECONDS);
    assertEquals(409, put("00000002.history", HISTORY), "of which system?");
    assertEquals(200, put(3));
    assertEquals(200, put("00000002.history", HISTORY));
    assertEquals(200, put("00000002.history", HISTORY));
    assertEquals(422, put("00000003.history", new byte[] {'x'}));
    assertEquals(200, put(small(4) + ".partial", segment(small(4), SYSTEM)));
    assertEquals(200, put(small(3) + ".000000F8.backup", new byte[200]));

    assertEquals(
        List.of("00000002.history", small(4) + ".partial"),
        List.copyOf(session.companions.keySet()));
  }

  @Test
  void the_system_that_is_named_counts_before_the_first_segment() throws Exception {
    follow(PostgresWalArchive.listeningOn(0, token()).ofSystem(Long.toUnsignedString(SYSTEM)));
    port.get(20, TimeUnit.SECONDS);
    assertEquals(200, put("00000002.history", HISTORY));
    assertEquals(409, put(small(3).toString(), segment(small(3), 5)));
    assertEquals(200, put(3));
  }

  @Test
  void a_store_that_fails_is_the_streams_failure_and_the_server_hears_that_it_is_not_now()
      throws Exception {
    session.isFull = true;
    follow();
    port.get(20, TimeUnit.SECONDS);
    assertEquals(503, put(3));

    ExecutionException e =
        assertThrows(ExecutionException.class, () -> following.get(20, TimeUnit.SECONDS));
    assertInstanceOf(BackupException.Sink.class, e.getCause());
  }

  @Test
  void whoever_waits_when_it_stops_hears_that_it_is_not_now() throws Exception {
    CountDownLatch inStore = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    session.onAppend =
        () -> {
          inStore.countDown();
          try {
            release.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        };
    follow();
    port.get(20, TimeUnit.SECONDS);
    CompletableFuture<Integer> first = putBeside(3);
    assertTrue(inStore.await(20, TimeUnit.SECONDS));
    CompletableFuture<Integer> second = putBeside(4);
    session.stop();
    release.countDown();

    assertEquals(200, first.get(20, TimeUnit.SECONDS));
    assertEquals(503, second.handle((status, e) -> e == null ? status : 503).get());
    following.get(20, TimeUnit.SECONDS);
    assertEquals(1, session.slices.size());
  }

  private CompletableFuture<Integer> putBeside(int number) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return put(number);
          } catch (Exception e) {
            throw new IllegalStateException(e);
          }
        });
  }

  @Test
  void clients_that_send_half_of_something_do_not_keep_others_out() throws Exception {
    follow(PostgresWalArchive.listeningOn(0, token()).clientPatience(Duration.ofMillis(600)));
    InetSocketAddress address =
        new InetSocketAddress(InetAddress.getLoopbackAddress(), port.get(20, TimeUnit.SECONDS));
    String header = Files.readString(token()).strip();
    String halfBody =
        "PUT /wal/%s HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: 1048576\r\n\r\nabc"
            .formatted(small(3), header);
    Socket[] clients = new Socket[20];
    for (int i = 0; i < clients.length; i++) {
      clients[i] = new Socket(address.getAddress(), address.getPort());
      String sent = i % 2 == 0 ? halfBody : "PUT /wal/half-a-li";
      clients[i].getOutputStream().write(sent.getBytes(StandardCharsets.US_ASCII));
    }

    assertEquals(200, put(3));
    for (Socket client : clients) {
      client.close();
    }
  }

  @Test
  void the_token_is_made_private_and_one_that_others_may_read_is_refused() throws Exception {
    follow();
    port.get(20, TimeUnit.SECONDS);
    assertEquals(
        "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(token())));
    session.stop();
    following.get(20, TimeUnit.SECONDS);

    Files.setPosixFilePermissions(token(), PosixFilePermissions.fromString("rw-r-----"));
    BackupException.Refused e =
        assertThrows(
            BackupException.Refused.class,
            () -> PostgresWalArchive.listeningOn(0, token()).follow(new MemoryStreamSession()));
    assertEquals(PostgresFailure.ARCHIVE_TOKEN, e.code());
  }

  @Test
  void the_command_holds_no_secret_and_nothing_that_a_shell_would_read() throws Exception {
    PostgresWalArchive archive = PostgresWalArchive.listeningOn(5440, token());

    assertTrue(archive.archiveCommand().contains("\"http://127.0.0.1:5440/wal/%f\""));
    assertTrue(archive.archiveCommand().contains("\"@" + token() + "\""));
    assertFalse(archive.archiveCommand().contains("Bearer"));
    assertThrows(
        IllegalArgumentException.class,
        () -> PostgresWalArchive.listeningOn(5440, Path.of("/tmp/$(id)")));
  }
}
