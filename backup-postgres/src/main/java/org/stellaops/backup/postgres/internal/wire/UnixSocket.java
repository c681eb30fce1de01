package org.stellaops.backup.postgres.internal.wire;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/**
 * A Unix domain socket in the shape of the TCP socket that the driver expects. The channel does not
 * block, its selectors do: so reads know time limits, and closing wakes whoever waits.
 */
final class UnixSocket extends Socket {
  private static final int BUFFER_BYTES = 64 << 10;

  private final Path file;
  private final SocketChannel channel;
  private final Selector readable;
  private final Selector writable;
  private volatile int timeoutMillis;

  /** Not connected yet. */
  UnixSocket(Path file) throws IOException {
    this.file = file;
    this.channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    this.readable = Selector.open();
    this.writable = Selector.open();
  }

  /** Connects to the file that this socket was made for, whatever the driver makes of its name. */
  @Override
  public void connect(SocketAddress ignored, int timeoutMillis) throws IOException {
    channel.connect(UnixDomainSocketAddress.of(file));
    channel.configureBlocking(false);
    channel.register(readable, SelectionKey.OP_READ);
    channel.register(writable, SelectionKey.OP_WRITE);
  }

  @Override
  public boolean isConnected() {
    return channel.isConnected();
  }

  @Override
  public boolean isClosed() {
    return !channel.isOpen();
  }

  @Override
  public synchronized void close() throws IOException {
    channel.close();
    readable.close();
    writable.close();
  }

  @Override
  public InputStream getInputStream() {
    return new Input();
  }

  @Override
  public OutputStream getOutputStream() {
    return new Output();
  }

  @Override
  public synchronized void setSoTimeout(int millis) {
    timeoutMillis = millis;
  }

  @Override
  public synchronized int getSoTimeout() {
    return timeoutMillis;
  }

  /** Nothing to set: bytes are never held back here. */
  @Override
  public void setTcpNoDelay(boolean on) {}

  /** Nothing to set: the kernel knows when the other side is gone. */
  @Override
  public void setKeepAlive(boolean on) {}

  @Override
  public int getSendBufferSize() {
    return BUFFER_BYTES;
  }

  @Override
  public int getReceiveBufferSize() {
    return BUFFER_BYTES;
  }

  @Override
  public String toString() {
    return "UnixSocket[" + file + "]";
  }

  /** Waits until the channel can go on, or its selector is closed. */
  private void await(Selector selector, int atMostMillis) throws IOException {
    try {
      int ready = selector.select(atMostMillis);
      selector.selectedKeys().clear();
      if (Thread.currentThread().isInterrupted()) {
        throw new InterruptedIOException("interrupted at " + file);
      }
      if (ready == 0 && atMostMillis > 0) {
        throw new SocketTimeoutException("nothing from %s in %d ms".formatted(file, atMostMillis));
      }
    } catch (ClosedSelectorException e) {
      throw closed(e);
    }
  }

  private SocketException closed(Exception cause) {
    SocketException closed = new SocketException("closed: " + file);
    closed.initCause(cause);
    return closed;
  }

  /** What the server sends. */
  private final class Input extends InputStream {
    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      ByteBuffer into = ByteBuffer.wrap(bytes, offset, length);
      int n = channel.read(into);
      while (n == 0) {
        await(readable, timeoutMillis);
        n = channel.read(into);
      }
      return n;
    }

    @Override
    public void close() throws IOException {
      UnixSocket.this.close();
    }
  }

  /** What the server gets. */
  private final class Output extends OutputStream {
    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      ByteBuffer left = ByteBuffer.wrap(bytes, offset, length);
      while (left.hasRemaining()) {
        if (channel.write(left) == 0) {
          await(writable, 0);
        }
      }
    }

    @Override
    public void close() throws IOException {
      UnixSocket.this.close();
    }
  }
}
