package org.stellaops.backup.postgres;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import org.stellaops.backup.postgres.PostgresConnection.SslMode;

/**
 * The server's side of a replication session, played from a script: any login is accepted, each
 * command gets the answer that was put down for it, and after a number of bytes the connection
 * breaks.
 */
final class FakeWalSender implements AutoCloseable {
  /** In a script: sends nothing more until {@link #release}. */
  static final byte[] HOLD = {};

  /** In a script: what answers the end of the client's side of a COPY. */
  static final String COPY_DONE = "CopyDone";

  private static final int PIECE_BYTES = 3000;
  private static final int STATUS_BYTES = 34;
  private static final byte[] KEEPALIVE =
      message('d', 'k', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

  private final ServerSocket socket = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
  private final ExecutorService executor = Executors.newCachedThreadPool();
  private final Map<String, List<byte[]>> answers;
  private final Semaphore released = new Semaphore(0);
  private final BlockingQueue<byte[]> pieces = new LinkedBlockingQueue<>();
  private volatile long breakAfterBytes = Long.MAX_VALUE;
  private volatile boolean isMute;

  /**
   * Plays one script, for each connection from its beginning.
   *
   * @param answers messages by the first word or words of the command
   */
  FakeWalSender(Map<String, List<byte[]>> answers) throws IOException {
    this.answers = answers;
    executor.submit(this::serveAll);
  }

  /** How to reach it. */
  PostgresConnection connection() {
    return PostgresConnection.to("127.0.0.1")
        .port(socket.getLocalPort())
        .user("backup")
        .sslMode(SslMode.DISABLE)
        .build();
  }

  /** Of each later connection, only so many bytes of answers are sent. */
  void breakAfter(long bytes) {
    breakAfterBytes = bytes;
  }

  /** From now on a client that asks whether anybody is there hears nothing. */
  void mute() {
    isMute = true;
  }

  /** Goes on behind one {@link #HOLD}. */
  void release() {
    released.release();
  }

  /** Pieces that clients sent in a COPY, as far as they came. */
  BlockingQueue<byte[]> pieces() {
    return pieces;
  }

  @Override
  public void close() throws IOException {
    socket.close();
    executor.shutdownNow();
  }

  /** What a server answers when all is well; without the login. */
  static Map<String, List<byte[]>> script(SyntheticBackup backup) throws IOException {
    return Map.of(
        "IDENTIFY_SYSTEM", result(List.of("7400000000000000001", "1", "0/2000100", "")),
        "SHOW server_version_num", result(List.of("170011")),
        "SHOW server_version", result(List.of("17.11")),
        "SHOW data_checksums", result(List.of("on")),
        "SHOW in_hot_standby", result(List.of("off")),
        "SHOW wal_segment_size", result(List.of("16MB")),
        "BASE_BACKUP", baseBackup(backup));
  }

  /** The same, of a server that lets an increment be built on an earlier backup. */
  static Map<String, List<byte[]>> incrementalScript(SyntheticBackup backup) throws IOException {
    Map<String, List<byte[]>> script = new HashMap<>(script(backup));
    script.put("SHOW summarize_wal", result(List.of("on")));
    script.put("UPLOAD_MANIFEST", List.of(message('G', 0, 0, 0)));
    script.put(COPY_DONE, List.of(message('C', bytes("UPLOAD_MANIFEST\0")), message('Z', 'I')));
    return script;
  }

  /** The answer to BASE_BACKUP, message by message. */
  static List<byte[]> baseBackup(SyntheticBackup backup) throws IOException {
    return baseBackup(backup, backup.artifacts());
  }

  /** The same, with other streams than those of the backup. */
  static List<byte[]> baseBackup(SyntheticBackup backup, Map<String, byte[]> streams) {
    List<byte[]> messages = new ArrayList<>();
    messages.addAll(rows(List.of(List.of("0/2000028", "1"))));
    List<List<String>> tablespaces = new ArrayList<>();
    backup.tablespaces().forEach((oid, place) -> tablespaces.add(List.of(oid, place, "1")));
    tablespaces.add(List.of("", "", "10"));
    messages.addAll(rows(tablespaces));
    messages.add(message('H', 0, 0, 0));
    for (Map.Entry<String, byte[]> artifact : streams.entrySet()) {
      messages.add(
          artifact.getKey().equals("backup_manifest")
              ? message('d', 'm')
              : message('d', bytes('n', artifact.getKey() + "\0\0")));
      for (int at = 0; at < artifact.getValue().length; at += PIECE_BYTES) {
        int end = Math.min(artifact.getValue().length, at + PIECE_BYTES);
        ByteArrayOutputStream piece = new ByteArrayOutputStream();
        piece.write('d');
        piece.write(artifact.getValue(), at, end - at);
        messages.add(message('d', piece.toByteArray()));
      }
      messages.add(message('d', 'p', 0, 0, 0, 0, 0, 0, 0, 1));
    }
    messages.add(message('c'));
    messages.addAll(rows(List.of(List.of("0/2000100", "1"))));
    messages.add(message('C', bytes("BASE_BACKUP\0")));
    messages.add(message('Z', 'I'));
    return messages;
  }

  /** A result of one row and the end of the answer. */
  static List<byte[]> result(List<String> row) {
    List<byte[]> messages = new ArrayList<>(rows(List.of(row)));
    messages.add(message('Z', 'I'));
    return messages;
  }

  /** An ErrorResponse or NoticeResponse. */
  static byte[] complaint(char type, String severity, String sqlState, String text) {
    return message(
        type, bytes("S" + severity + "\0V" + severity + "\0C" + sqlState + "\0M" + text + "\0\0"));
  }

  static byte[] message(char type, int... body) {
    byte[] bytes = new byte[body.length];
    for (int i = 0; i < body.length; i++) {
      bytes[i] = (byte) body[i];
    }
    return message(type, bytes);
  }

  static byte[] message(char type, byte[] body) {
    return framed(type, Integer.BYTES + body.length, body);
  }

  /** A message that says whatever length. */
  static byte[] framed(char type, int length, byte[] body) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(type);
      out.writeInt(length);
      out.write(body);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  static List<byte[]> rows(List<List<String>> rows) {
    List<byte[]> messages = new ArrayList<>();
    messages.add(message('T', 0, 0));
    for (List<String> row : rows) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (DataOutputStream out = new DataOutputStream(bytes)) {
        out.writeShort(row.size());
        for (String column : row) {
          byte[] text = bytes(column);
          out.writeInt(text.length == 0 ? -1 : text.length);
          out.write(text);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      messages.add(message('D', bytes.toByteArray()));
    }
    messages.add(message('C', bytes("SELECT\0")));
    return messages;
  }

  private static byte[] bytes(char first, String text) {
    return bytes(first + text);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private Void serveAll() throws IOException {
    while (true) {
      Socket client = socket.accept();
      executor.submit(() -> serve(client));
    }
  }

  private Void serve(Socket accepted) throws IOException {
    try (Socket client = accepted) {
      client.setTcpNoDelay(true);
      talk(client);
    } catch (EOFException | SocketException e) {
      // The client is gone, or the test is over.
    }
    return null;
  }

  private void talk(Socket client) throws IOException {
    DataInputStream in = new DataInputStream(client.getInputStream());
    OutputStream out = client.getOutputStream();
    in.readNBytes(in.readInt() - Integer.BYTES);
    out.write(message('R', 0, 0, 0, 0));
    for (String setting :
        List.of(
            "server_version\00017.11\0",
            "client_encoding\0UTF8\0",
            "DateStyle\0ISO, MDY\0",
            "integer_datetimes\0on\0",
            "standard_conforming_strings\0on\0")) {
      out.write(message('S', bytes(setting)));
    }
    out.write(message('Z', 'I'));
    play(in, out);
  }

  private void play(DataInputStream in, OutputStream out) throws IOException {
    long left = breakAfterBytes;
    for (int type = in.read(); "Qdc".indexOf(type) >= 0; type = in.read()) {
      byte[] body = in.readNBytes(in.readInt() - Integer.BYTES);
      if (type == 'd') {
        pieces.add(body);
      }
      for (byte[] message : answer((char) type, body)) {
        if (message == HOLD) {
          released.acquireUninterruptibly();
        }
        int length = (int) Math.min(left, message.length);
        out.write(message, 0, length);
        left -= length;
        if (left == 0) {
          return;
        }
      }
    }
  }

  private List<byte[]> answer(char type, byte[] text) {
    return switch (type) {
      case 'd' -> isQuestion(text) && !isMute ? List.of(KEEPALIVE) : List.of();
      case 'c' -> answer(COPY_DONE);
      default -> answer(new String(text, 0, text.length - 1, StandardCharsets.UTF_8));
    };
  }

  /** A standby's status with its last field set. */
  private static boolean isQuestion(byte[] piece) {
    return piece.length == STATUS_BYTES && piece[0] == 'r' && piece[STATUS_BYTES - 1] == 1;
  }

  private List<byte[]> answer(String command) {
    return answers.entrySet().stream()
        .filter(e -> command.equals(e.getKey()) || command.startsWith(e.getKey() + " "))
        .findFirst()
        .map(Map.Entry::getValue)
        .orElse(List.of(complaint('E', "ERROR", "42601", "no answer"), message('Z', 'I')));
  }
}
