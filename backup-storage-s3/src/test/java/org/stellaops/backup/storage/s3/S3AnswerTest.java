package org.stellaops.backup.storage.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;

/** What answers become that no good server gives. */
@SuppressWarnings("NullAway.Init") // JUnit calls start first
class S3AnswerTest {
  private static final ObjectName NAME = ObjectName.of("some/object");

  private ScriptedServer server;

  @BeforeEach
  void start() throws IOException {
    server = ScriptedServer.start();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void after_an_outage_everything_is_tried_as_often_as_before() throws Exception {
    try (ObjectStore store = open(server.sink())) {
      for (int i = 0; i < 60; i++) {
        assertFailure(
            CoreFailure.SINK_FAILED, Reason.TRANSIENT, () -> store.list("", PageToken.START));
      }
      int before = server.requests().size();
      assertFailure(
          CoreFailure.SINK_FAILED, Reason.TRANSIENT, () -> store.list("", PageToken.START));
      assertEquals(ProxiedServer.SMALL.attempts(), server.requests().size() - before);
    }
  }

  @Test
  void a_deletion_whose_versions_are_not_known_is_not_made() throws Exception {
    for (int i = 0; i < ProxiedServer.SMALL.attempts(); i++) {
      server.fail(500, "InternalError");
    }
    server
        .xml("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
        .xml(
            """
            <ListVersionsResult><IsTruncated>false</IsTruncated><Version><Key>some/object</Key>
            <VersionId>v1</VersionId><IsLatest>true</IsLatest><Size>1</Size>
            <LastModified>2026-11-22T06:00:00.000Z</LastModified></Version></ListVersionsResult>""")
        .answer(204, Map.of(), "");
    try (ObjectStore store = open(server.sink())) {
      assertFailure(CoreFailure.SINK_FAILED, Reason.TRANSIENT, () -> store.delete(NAME));
      store.delete(NAME);
    }
    String last = server.asked().get(server.asked().size() - 1);
    assertEquals("DELETE /box/some/object?versionId=v1", last);
  }

  @Test
  void a_server_that_does_not_tell_whether_it_keeps_versions_is_asked_each_time() throws Exception {
    server
        .fail(403, "AccessDenied")
        .answer(204, Map.of(), "")
        .xml("<VersioningConfiguration/>")
        .answer(204, Map.of(), "")
        .answer(204, Map.of(), "");
    try (ObjectStore store = open(server.sink())) {
      store.delete(NAME);
      store.delete(NAME);
      store.delete(NAME);
    }
    assertTrue(server.asked().get(2).contains("versioning"), server.asked()::toString);
    assertEquals(5, server.asked().size(), server.asked()::toString);
  }

  @Test
  void a_listing_that_does_not_say_where_it_goes_on_is_refused() throws Exception {
    for (String token : List.of("", "<NextContinuationToken></NextContinuationToken>")) {
      server.xml(
          "<ListBucketResult><IsTruncated>true</IsTruncated>%s</ListBucketResult>"
              .formatted(token));
    }
    String more =
        "<ListBucketResult><IsTruncated>true</IsTruncated>"
            + "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>";
    server.xml(more).xml(more);
    try (ObjectStore store = open(server.sink())) {
      assertNowhere(() -> store.list("", PageToken.START));
      assertNowhere(() -> store.list("", PageToken.START));
      ObjectPage first = store.list("", PageToken.START);
      assertNowhere(() -> store.list("", first.next()));
    }
  }

  @Test
  void a_listing_of_archived_objects_that_does_not_say_where_it_goes_on_is_refused()
      throws Exception {
    String more =
        "<ListBucketResult><IsTruncated>true</IsTruncated>"
            + "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>";
    server
        .xml(more)
        .xml(more)
        .xml("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>");
    try (ObjectStore store = open(server.sink())) {
      StoreAbility.Retrieval archive = store.ability(StoreAbility.Retrieval.class).orElseThrow();
      assertNowhere(() -> archive.states("", (name, state) -> {}));
      assertNowhere(() -> archive.states("", (name, state) -> {}));
    }
    assertEquals(3, server.requests().size());
  }

  @Test
  void a_listing_of_versions_that_does_not_say_where_it_goes_on_is_refused() throws Exception {
    String more =
        "<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker>"
            + "<NextVersionIdMarker>1</NextVersionIdMarker></ListVersionsResult>";
    server
        .xml(more)
        .xml(more)
        .xml("<ListVersionsResult><IsTruncated>true</IsTruncated></ListVersionsResult>");
    try (ObjectStore store = open(server.sink())) {
      StoreAbility.History history = store.ability(StoreAbility.History.class).orElseThrow();
      assertNowhere(() -> history.kept("", version -> {}));
      assertNowhere(() -> history.kept("", version -> {}));
    }
    assertEquals(3, server.requests().size());
  }

  @Test
  void a_listing_of_uploads_that_does_not_say_where_it_goes_on_is_refused() throws Exception {
    String more =
        "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker>"
            + "<NextUploadIdMarker>1</NextUploadIdMarker></ListMultipartUploadsResult>";
    server
        .xml(more)
        .xml(more)
        .xml(
            "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>");
    try (ObjectStore store = open(server.sink())) {
      StoreAbility.Strays strays = store.ability(StoreAbility.Strays.class).orElseThrow();
      assertNowhere(strays::sweep);
      assertNowhere(strays::sweep);
    }
    assertEquals(3, server.requests().size());
  }

  private static void assertNowhere(Executable listing) {
    var e = assertThrows(BackupException.Sink.class, listing);
    assertEquals(Reason.REFUSED, e.reason(), e.getMessage());
    assertTrue(e.getMessage().contains("where the listing goes on"), e.getMessage());
  }

  @Test
  void an_answer_that_is_not_the_range_is_no_part_of_the_object() throws Exception {
    server
        .answer(200, Map.of("ETag", "\"t\""), "0123456789")
        .answer(206, Map.of("ETag", "\"t\"", "Content-Range", "bytes 0-9/10"), "0123456789")
        .answer(200, Map.of("ETag", "\"t\""), "0123456789");
    try (ObjectStore store = open(server.sink())) {
      for (ByteRange range :
          List.of(new ByteRange(2, 3), new ByteRange(2, 3), new ByteRange(0, 3))) {
        assertFailure(
            CoreFailure.SINK_FAILED, Reason.REFUSED, () -> store.open(NAME, range).close());
      }
    }
  }

  @Test
  void a_whole_answer_is_good_where_the_range_is_everything() throws Exception {
    server
        .answer(200, Map.of("ETag", "\"t\""), "0123456789")
        .answer(206, Map.of("ETag", "\"t\"", "Content-Range", "bytes 8-9/10"), "89");
    try (ObjectStore store = open(server.sink())) {
      assertArrayEquals(bytes("0123456789"), read(store, new ByteRange(0, 10)));
      assertArrayEquals(bytes("89"), read(store, new ByteRange(8, 5)));
    }
  }

  @Test
  void what_is_read_on_from_another_place_is_refused() throws Exception {
    server
        .cut(200, Map.of("ETag", "\"t\""), "01234", 10)
        .answer(200, Map.of("ETag", "\"t\""), "0123456789");
    try (ObjectStore store = open(server.sink())) {
      assertFailure(CoreFailure.SINK_FAILED, Reason.REFUSED, () -> read(store, ByteRange.ALL));
    }
    assertEquals("bytes=5-9", server.requests().get(1).header("Range"));
  }

  @Test
  void what_breaks_off_is_read_on() throws Exception {
    server
        .cut(200, Map.of("ETag", "\"t\""), "01234", 10)
        .answer(206, Map.of("ETag", "\"t\"", "Content-Range", "bytes 5-9/10"), "56789");
    try (ObjectStore store = open(server.sink())) {
      assertArrayEquals(bytes("0123456789"), read(store, ByteRange.ALL));
    }
  }

  @Test
  void an_answer_of_no_length_is_refused() throws Exception {
    server.chunked(200, Map.of("ETag", "\"t\""), "0123456789");
    try (ObjectStore store = open(server.sink())) {
      assertFailure(
          CoreFailure.SINK_FAILED, Reason.REFUSED, () -> store.open(NAME, ByteRange.ALL).close());
    }
  }

  @Test
  void an_interrupted_reading_is_a_stop() throws Exception {
    server.answer(200, Map.of("ETag", "\"t\""), "0123456789");
    try (ObjectStore store = open(server.sink())) {
      InputStream in = store.open(NAME, ByteRange.ALL);
      Thread.currentThread().interrupt();
      try {
        assertThrows(BackupException.Stopped.class, in::read);
        in.close();
        assertTrue(Thread.currentThread().isInterrupted());
      } finally {
        Thread.interrupted();
      }
    }
  }

  @Test
  void a_server_is_not_kept_waiting_for_the_rest_of_a_body_that_cannot_be_read() throws Exception {
    try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ObjectStore store =
            open(
                server
                    .sink()
                    .endpoint(URI.create("http://127.0.0.1:" + listening.getLocalPort())))) {
      CompletableFuture<Boolean> isEnded =
          CompletableFuture.supplyAsync(() -> isEndedBeforeItAnswers(listening));
      assertThrows(IOException.class, () -> store.put(NAME, unreadable()));
      assertTrue(isEnded.get(60, TimeUnit.SECONDS));
    }
  }

  /** Reads what comes until it ends; false if nothing more comes, and it does not end. */
  private static boolean isEndedBeforeItAnswers(ServerSocket listening) {
    try (Socket connection = listening.accept()) {
      connection.setSoTimeout(20_000);
      connection.getInputStream().transferTo(OutputStream.nullOutputStream());
      return true;
    } catch (SocketTimeoutException e) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  /** The first half of it can be read. */
  private static ObjectBody unreadable() {
    byte[] bytes = new byte[200_000];
    ObjectBody whole = ObjectBody.of(bytes);
    return new ObjectBody() {
      @Override
      public long lengthBytes() {
        return whole.lengthBytes();
      }

      @Override
      public Digest digest() {
        return whole.digest();
      }

      @Override
      public InputStream open() {
        return new SequenceInputStream(
            new ByteArrayInputStream(bytes, 0, 100_000),
            new InputStream() {
              @Override
              public int read() throws IOException {
                throw new IOException("unreadable");
              }
            });
      }
    };
  }

  private static byte[] read(ObjectStore store, ByteRange range) throws IOException {
    try (InputStream in = store.open(NAME, range)) {
      return in.readAllBytes();
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void bytes_that_were_damaged_on_the_way_are_sent_again() throws Exception {
    server
        .fail(400, "BadDigest")
        .fail(400, "XAmzContentChecksumMismatch")
        .answer(200, Map.of("ETag", "\"t\""), "");
    try (ObjectStore store = open(server.sink())) {
      store.put(NAME, ObjectBody.of(new byte[100]));
      for (int i = 0; i < ProxiedServer.SMALL.attempts(); i++) {
        server.fail(400, "BadDigest");
      }
      assertFailure(
          CoreFailure.SINK_FAILED,
          Reason.TRANSIENT,
          () -> store.put(NAME, ObjectBody.of(new byte[100])));
    }
    assertTrue(server.asked().get(5).startsWith("PUT"), server.asked()::toString);
  }

  @Test
  void parts_that_were_damaged_on_the_way_are_sent_again() throws Exception {
    begun()
        .fail(400, "BadDigest")
        .answer(200, Map.of("ETag", "\"t\""), "")
        .xml("<CompleteMultipartUploadResult><ETag>t</ETag></CompleteMultipartUploadResult>");
    try (ObjectStore store = open(server.sink())) {
      store.put(NAME, ObjectBody.of(new byte[(1 << 20) + 1]));
    }
    assertEquals(6, server.asked().size(), server.asked()::toString);
  }

  @Test
  void an_upload_that_the_server_forgot_may_begin_again() throws Exception {
    begun().fail(404, "NoSuchUpload").answer(204, Map.of(), "");
    try (ObjectStore store = open(server.sink())) {
      assertFailure(
          CoreFailure.SINK_FAILED,
          Reason.TRANSIENT,
          () -> store.put(NAME, ObjectBody.of(new byte[(1 << 20) + 1])));
    }
  }

  /** Nothing has the name, and an upload of parts is there. */
  private ScriptedServer begun() {
    return server
        .fail(404, "")
        .xml("<ListBucketResult/>")
        .xml(
            "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
  }

  @Test
  void bytes_that_did_not_come_in_time_are_asked_for_their_nonce() throws Exception {
    for (int i = 0; i < ProxiedServer.SMALL.attempts(); i++) {
      server.fail(400, "RequestTimeout");
    }
    server.fail(404, "").xml("<ListBucketResult/>");
    try (ObjectStore store = open(server.sink())) {
      assertFailure(
          CoreFailure.SINK_FAILED,
          Reason.TRANSIENT,
          () -> store.put(NAME, ObjectBody.of(new byte[100])));
    }
    assertTrue(
        server.asked().stream().anyMatch(asked -> asked.startsWith("HEAD")),
        server.asked()::toString);
  }

  private static ObjectStore open(S3Sink sink) throws IOException {
    return sink.open(StoreContext.system());
  }

  private static void assertFailure(CoreFailure code, Reason reason, Executable action) {
    var e = assertThrows(BackupException.Sink.class, action);
    assertEquals(code, e.code(), e.getMessage());
    assertEquals(reason, e.reason(), e.getMessage());
  }
}
