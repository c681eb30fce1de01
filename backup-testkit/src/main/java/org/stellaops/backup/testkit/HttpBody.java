package org.stellaops.backup.testkit;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** How the body of an HTTP/1.1 message is delimited, and its way from one connection to another. */
sealed interface HttpBody {
  /** Copies all of it with its framing. */
  void copy(InputStream in, OutputStream out) throws IOException;

  /** The body of a request. */
  static HttpBody ofRequest(Map<String, String> headers) {
    return framed(headers, new Counted(0));
  }

  /** The body of a reply to a request of that method. */
  static HttpBody ofReply(String method, int status, Map<String, String> headers) {
    boolean isEmpty = method.equals("HEAD") || status < 200 || status == 204 || status == 304;
    return isEmpty ? new Counted(0) : framed(headers, new UntilEnd());
  }

  private static HttpBody framed(Map<String, String> headers, HttpBody otherwise) {
    if (headers.getOrDefault("transfer-encoding", "").equalsIgnoreCase("chunked")) {
      return new Chunked();
    }
    String length = headers.get("content-length");
    return length == null ? otherwise : new Counted(Long.parseLong(length));
  }

  private static void copy(InputStream in, OutputStream out, long bytes) throws IOException {
    byte[] buffer = new byte[16 * 1024];
    for (long left = bytes; left > 0; ) {
      int read = in.read(buffer, 0, (int) Math.min(buffer.length, left));
      if (read < 0) {
        throw new EOFException("the connection ended within a body");
      }
      out.write(buffer, 0, read);
      left -= read;
    }
  }

  /** A length that the head says. */
  record Counted(long lengthBytes) implements HttpBody {
    @Override
    public void copy(InputStream in, OutputStream out) throws IOException {
      HttpBody.copy(in, out, lengthBytes);
    }
  }

  /** Until the connection ends. */
  record UntilEnd() implements HttpBody {
    @Override
    public void copy(InputStream in, OutputStream out) throws IOException {
      in.transferTo(out);
    }
  }

  /** Chunks, each with its length, then trailers. */
  record Chunked() implements HttpBody {
    @Override
    public void copy(InputStream in, OutputStream out) throws IOException {
      while (copyChunk(in, out)) {
        // until the empty one
      }
      for (String trailer = copyLine(in, out); !trailer.isEmpty(); trailer = copyLine(in, out)) {
        // until the empty one
      }
    }

    private static boolean copyChunk(InputStream in, OutputStream out) throws IOException {
      String size = copyLine(in, out);
      int semicolon = size.indexOf(';');
      long bytes = Long.parseLong(semicolon < 0 ? size : size.substring(0, semicolon), 16);
      if (bytes == 0) {
        return false;
      }
      HttpBody.copy(in, out, bytes);
      copyLine(in, out);
      return true;
    }

    private static String copyLine(InputStream in, OutputStream out) throws IOException {
      String line = HttpHead.lineOf(in);
      out.write((line + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
      return line;
    }
  }
}
