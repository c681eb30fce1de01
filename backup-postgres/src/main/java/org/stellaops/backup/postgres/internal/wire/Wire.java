package org.stellaops.backup.postgres.internal.wire;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresConnection;
import org.stellaops.backup.postgres.PostgresFailure;
import org.stellaops.backup.spi.Stopping;

/**
 * A replication session: messages of the PostgreSQL protocol, version 3, with simple queries
 * (documentation, "Message Formats" and "Streaming Replication Protocol").
 *
 * <p>Closing it, or stopping the run, closes the socket, and so ends the WAL sender on the other
 * side. An error of the server is thrown after the rest of its answer has been read, so that the
 * session can be used on, unless the server ended it.
 */
public final class Wire implements Closeable {
  /** No message of a server is near this: a row, a notice, 32 KiB of a base backup. */
  static final int MAX_MESSAGE_BYTES = 64 << 20;

  /** A result of a replication command has a row per tablespace at most. */
  private static final int MAX_ROWS = 100_000;

  private static final int READ_BUFFER_BYTES = 256 << 10;
  private static final int UPLOAD_BYTES = 64 << 10;

  /** What {@link #readWithin} returns where nothing came. */
  static final char NOTHING = 0;

  /** Longest silence in the middle of a message, and of a server that is to end a stream. */
  private static final int SILENCE_MILLIS = 60_000;

  private static final int NOT_BEGUN = -1;

  private final PostgresConnection to;
  private final Stopping stopping;
  private final Consumer<ServerMessage> notices;
  private final DriverLogin login;
  private final Closeable stopRegistration;

  /** Kept for its socket: the driver closes that of a connection that nobody refers to. */
  private final Connection connection;

  private final Socket socket;
  private final DataInputStream in;
  private final DataOutputStream out;
  private final Body body = new Body();
  private byte[] message = new byte[64 << 10];
  private @Nullable ServerMessage lastError;

  /** The last command. */
  private String sent = "";

  /** The type of a message whose first byte was read, and nothing behind it. */
  private int begun = NOT_BEGUN;

  /** Longest silence before an answer; 0 for any. */
  private int patienceMillis;

  private Wire(
      PostgresConnection to,
      Stopping stopping,
      Consumer<ServerMessage> notices,
      DriverLogin login,
      Closeable stopRegistration,
      Connection connection)
      throws IOException {
    this.to = to;
    this.stopping = stopping;
    this.notices = notices;
    this.login = login;
    this.stopRegistration = stopRegistration;
    this.connection = connection;
    this.socket = login.socket();
    socket.setSoTimeout(0);
    // The server says nothing after a login until it is asked, so the driver has read nothing
    // ahead.
    this.in =
        new DataInputStream(new BufferedInputStream(socket.getInputStream(), READ_BUFFER_BYTES));
    this.out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
  }

  /**
   * Opens a session.
   *
   * @param stopping ends it, at any moment
   * @param notices takes what the server says on the side
   */
  public static Wire open(PostgresConnection to, Stopping stopping, Consumer<ServerMessage> notices)
      throws IOException {
    return open(to, DriverLogin.APPLICATION, stopping, notices);
  }

  /**
   * Opens a session as {@link #open(PostgresConnection, Stopping, Consumer)} does.
   *
   * @param application under which the server lists it, and can wait for it
   */
  public static Wire open(
      PostgresConnection to, String application, Stopping stopping, Consumer<ServerMessage> notices)
      throws IOException {
    DriverLogin login = new DriverLogin(to, application);
    Closeable registration = stopping.onStop(login::abort);
    try {
      Connection connection = login.forReplication();
      return new Wire(to, stopping, notices, login, registration, connection);
    } catch (SQLException e) {
      login.abort();
      registration.close();
      stopping.check();
      throw Logins.explain(to, e);
    } catch (IOException | RuntimeException e) {
      login.abort();
      registration.close();
      throw e;
    }
  }

  /** From now on only {@link #close} ends the session, and the caller looks whether to stop. */
  public void endOnCloseOnly() throws IOException {
    stopRegistration.close();
  }

  /**
   * From now on a server that says nothing for so long where it has to is lost: before an answer,
   * and within a message. A stream of WAL may be silent.
   */
  public void requireAnswersWithin(Duration time) throws IOException {
    patienceMillis = (int) time.toMillis();
    allowSilence();
  }

  /** Which cluster this is, and how far it has come. */
  public SystemIdentity identifySystem() throws IOException {
    List<@Nullable String> row = query("IDENTIFY_SYSTEM").single();
    return SystemIdentity.of(row);
  }

  /** The value of a setting. */
  public String show(String parameter) throws IOException {
    String value = query("SHOW " + parameter).single().get(0);
    return value == null ? "" : value;
  }

  /** The file that says how a timeline came about; the first one has none. */
  public HistoryFile timelineHistory(long timeline) throws IOException {
    send("TIMELINE_HISTORY " + timeline);
    expect('T');
    expect('D');
    HistoryFile file = HistoryFile.of(body);
    expect('C');
    expect('Z');
    return file;
  }

  /** Sends a command whose answer is one small result. */
  Rows query(String command) throws IOException {
    send(command);
    Rows rows = rows();
    expect('Z');
    return rows;
  }

  /** Sends a command and leaves its answer to be read. */
  void send(String command) throws IOException {
    sent = command;
    byte[] text = command.getBytes(StandardCharsets.UTF_8);
    try {
      out.writeByte('Q');
      out.writeInt(Integer.BYTES + text.length + 1);
      out.write(text);
      out.writeByte(0);
      out.flush();
    } catch (IOException e) {
      throw lost(e);
    }
  }

  /** Sends a piece of a COPY. */
  void sendData(byte[] data) throws IOException {
    sendCopy('d', data, data.length);
  }

  /** Says that no more pieces follow. */
  void sendDone() throws IOException {
    sendCopy('c', new byte[0], 0);
  }

  /** Sends a command that takes a stream, and all of the stream, which the caller closes. */
  void upload(String command, InputStream content) throws IOException {
    send(command);
    expect('G');
    byte[] chunk = new byte[UPLOAD_BYTES];
    for (int n = content.read(chunk); n >= 0; n = content.read(chunk)) {
      stopping.check();
      sendCopy('d', chunk, n);
    }
    sendCopy('c', chunk, 0);
    expect('C');
    expect('Z');
  }

  private void sendCopy(char type, byte[] bytes, int length) throws IOException {
    try {
      out.writeByte(type);
      out.writeInt(Integer.BYTES + length);
      out.write(bytes, 0, length);
      out.flush();
    } catch (IOException e) {
      throw lost(e);
    }
  }

  /** Why the server refused the last command that it refused. */
  public Optional<ServerMessage> lastError() {
    return Optional.ofNullable(lastError);
  }

  /** Reads one result up to its CommandComplete. */
  Rows rows() throws IOException {
    List<List<@Nullable String>> rows = new ArrayList<>();
    for (char type = read(); type != 'C'; type = read()) {
      if (type == 'D' && rows.size() < MAX_ROWS) {
        rows.add(row());
      } else if (type != 'T') {
        throw unexpected(type, "a result");
      }
    }
    return new Rows(rows);
  }

  /** Reads a message, which must be of this type. */
  void expect(char type) throws IOException {
    char found = read();
    if (found != type) {
      throw unexpected(found, "message " + type);
    }
  }

  /**
   * Reads the next message that is part of an answer, and returns its type; {@link #body} then
   * holds its fields.
   */
  char read() throws IOException {
    while (true) {
      char type = readAny();
      if (isPartOfAnswer(type)) {
        return type;
      }
    }
  }

  /**
   * As {@link #read}, or {@link #NOTHING} if no message begins within {@code timeout}, which is
   * rounded up to a millisecond. Once a message has begun it is read to its end, so that a timeout
   * loses nothing of it.
   */
  char readWithin(Duration timeout) throws IOException {
    stopping.check();
    if (!hasBegunWithin(timeout)) {
      return NOTHING;
    }
    limitSilence();
    try {
      char type = readAny();
      return isPartOfAnswer(type) ? type : NOTHING;
    } finally {
      allowSilence();
    }
  }

  /** From here on, a server that says nothing for a minute is lost. */
  void limitSilence() throws IOException {
    setTimeout(patienceMillis == 0 ? SILENCE_MILLIS : patienceMillis);
  }

  /** From here on, the server may take its time, as far as anybody is patient. */
  void allowSilence() throws IOException {
    setTimeout(patienceMillis);
  }

  private boolean hasBegunWithin(Duration timeout) throws IOException {
    if (begun != NOT_BEGUN) {
      return true;
    }
    setTimeout((int) Math.max(1, Math.min(timeout.toMillis(), Integer.MAX_VALUE)));
    try {
      begun = in.readUnsignedByte();
      return true;
    } catch (SocketTimeoutException silence) {
      return false;
    } catch (IOException e) {
      throw lost(e);
    } finally {
      allowSilence();
    }
  }

  private void setTimeout(int millis) throws IOException {
    try {
      socket.setSoTimeout(millis);
    } catch (IOException e) {
      throw lost(e);
    }
  }

  /** Whether it is not something that the server says on the side. */
  private boolean isPartOfAnswer(char type) throws IOException {
    switch (type) {
      case 'N' -> notices.accept(ServerMessage.parse(body));
      case 'S', 'A' -> {
        // A setting changed, or somebody notified: no part of any answer.
      }
      case 'E' -> throw failed(ServerMessage.parse(body));
      default -> {
        return true;
      }
    }
    return false;
  }

  Body body() {
    return body;
  }

  BackupException.Source unexpected(char type, String instead) {
    return new BackupException.Source(
        PostgresFailure.PROTOCOL,
        "%s: expected %s, found message type '%c' (0x%02x)"
            .formatted(to, instead, type, (int) type));
  }

  private char readAny() throws IOException {
    try {
      char type = (char) (begun == NOT_BEGUN ? in.readUnsignedByte() : begun);
      begun = NOT_BEGUN;
      int length = in.readInt() - Integer.BYTES;
      if (length < 0 || length > MAX_MESSAGE_BYTES) {
        throw new BackupException.Source(
            PostgresFailure.PROTOCOL,
            "%s: message type '%c' claims %d bytes, at most %d are possible"
                .formatted(to, type, length, MAX_MESSAGE_BYTES));
      }
      if (length > message.length) {
        message = new byte[length];
      }
      in.readFully(message, 0, length);
      body.of(message, length);
      return type;
    } catch (BackupException e) {
      throw e;
    } catch (IOException e) {
      throw lost(e);
    }
  }

  /** The columns of a DataRow. */
  List<@Nullable String> row() throws IOException {
    int columns = body.int16();
    List<@Nullable String> row = new ArrayList<>(columns);
    for (int i = 0; i < columns; i++) {
      row.add(body.column());
    }
    return row;
  }

  /** Reads what is left of the answer, so that the next command finds a clean session. */
  private BackupException.Source failed(ServerMessage error) throws IOException {
    lastError = error;
    while (!error.isLast() && readAny() != 'Z') {
      // The server sends nothing that matters between an error and ReadyForQuery.
    }
    return Logins.explain(to, sent, error);
  }

  private BackupException.Source lost(IOException cause) throws BackupException.Stopped {
    stopping.check();
    String how = cause instanceof EOFException ? "the server closed it" : cause.getMessage();
    return new BackupException.Source(
        PostgresFailure.CONNECTION_LOST, "connection to %s was lost: %s".formatted(to, how), cause);
  }

  /**
   * Ends the session. In the middle of an answer too: the server then finds nobody to write to.
   * Idempotent.
   */
  @Override
  public void close() throws IOException {
    try {
      connection.close(); // says Terminate, for which the server need not be listening
    } catch (SQLException alreadyGone) {
      // The socket below is closed in any case.
    } finally {
      login.abort();
      stopRegistration.close();
    }
  }
}
