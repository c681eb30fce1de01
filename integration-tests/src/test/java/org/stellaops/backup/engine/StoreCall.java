package org.stellaops.backup.engine;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;

/**
 * One operation on a store that is a process of its own: a connection, a request, an answer. Bytes
 * go in pieces, each with its length before it; a piece of none is the end, so that a connection
 * that broke is no end.
 */
final class StoreCall implements Closeable {
  /** What can be asked for. */
  enum Operation {
    PUT,
    OPEN,
    LIST,
    DELETE
  }

  private static final int FAILED = -1;
  private static final int DONE = 0;

  final DataInputStream in;
  final DataOutputStream out;
  private final Socket socket;

  /** Owns the socket. */
  StoreCall(Socket socket) throws IOException {
    this.socket = socket;
    this.in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
    this.out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
  }

  void piece(byte[] bytes, int length) throws IOException {
    out.writeInt(length);
    out.write(bytes, 0, length);
  }

  void end() throws IOException {
    out.writeInt(DONE);
    out.flush();
  }

  /** What went wrong, in the place of a piece or of an answer. */
  void failure(BackupException.Sink e) throws IOException {
    out.writeInt(FAILED);
    out.writeUTF(((CoreFailure) e.code()).name());
    out.writeUTF(e.reason().name());
    out.writeUTF(e.detail());
    out.flush();
  }

  /** Waits for the other side to be done, or throws what went wrong there. */
  void awaitEnd() throws IOException {
    int length = pieceLength();
    if (length != DONE) {
      throw new IOException("expected an end, found a piece of " + length + " bytes");
    }
  }

  private int pieceLength() throws IOException {
    int length = in.readInt();
    if (length == FAILED) {
      throw new BackupException.Sink(
          CoreFailure.valueOf(in.readUTF()), Reason.valueOf(in.readUTF()), in.readUTF());
    }
    return length;
  }

  /** The pieces, up to the end. Closing it leaves the call open. */
  InputStream pieces() {
    return new InputStream() {
      private int left;
      private boolean isOver;

      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        if (left == 0 && !isOver) {
          left = pieceLength();
          isOver = left == DONE;
        }
        if (isOver) {
          return -1;
        }
        int n = in.read(bytes, offset, Math.min(length, left));
        if (n < 0) {
          throw new EOFException("the connection ended within a piece");
        }
        left -= n;
        return n;
      }
    };
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
