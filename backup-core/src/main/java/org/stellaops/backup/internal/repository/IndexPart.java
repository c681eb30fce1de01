package org.stellaops.backup.internal.repository;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import org.stellaops.backup.internal.pipeline.ChunkId;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;

/**
 * A part of a chunk index as it is stored: packs, and the chunks of each. Byte by byte in {@code
 * docs/format/state.md}.
 */
public final class IndexPart {
  private static final byte[] MAGIC = {'S', 'B', 'I', '1'};

  private IndexPart() {}

  /** Takes what stands in a part, in its order. */
  public interface Visitor {
    /** A pack, whose chunks follow. */
    void pack(ObjectRef pack, int chunks) throws IOException;

    /**
     * A chunk of the pack that came last.
     *
     * @param id 32 bytes, which will hold another id after this
     */
    void chunk(byte[] id, int offset, int storedBytes, int plainBytes) throws IOException;
  }

  /**
   * Reads a part of a writer's index to its end.
   *
   * @throws BackupException.Corrupt MALFORMED
   */
  public static void read(InputStream stored, String writer, String what, Visitor visitor)
      throws IOException {
    DataInputStream in = new DataInputStream(stored);
    try {
      byte[] magic = new byte[MAGIC.length];
      in.readFully(magic);
      if (!Arrays.equals(magic, MAGIC)) {
        throw malformed(what, "no chunk index");
      }
      for (int first = in.read(); first >= 0; first = in.read()) {
        readPack(first, in, writer, what, visitor);
      }
    } catch (EOFException e) {
      throw malformed(what, "ends within a pack");
    }
  }

  private static void readPack(
      int firstByte, DataInputStream in, String writer, String what, Visitor visitor)
      throws IOException {
    byte[] digest = new byte[32];
    digest[0] = (byte) firstByte;
    in.readFully(digest, 1, digest.length - 1);
    long bytes = in.readLong();
    int chunks = in.readInt();
    if (bytes < 0 || chunks < 0) {
      throw malformed(what, "a negative length");
    }
    visitor.pack(Names.pack(writer, Digest.of(digest), bytes), chunks);
    int offset = 0;
    byte[] id = new byte[ChunkId.BYTES];
    for (int i = 0; i < chunks; i++) {
      in.readFully(id);
      int storedBytes = in.readInt();
      int plainBytes = in.readInt();
      if (storedBytes <= 0 || plainBytes <= 0 || offset + storedBytes < 0) {
        throw malformed(what, "a chunk without length");
      }
      visitor.chunk(id, offset, storedBytes, plainBytes);
      offset += storedBytes;
    }
  }

  private static BackupException malformed(String what, String found) {
    return new BackupException.Corrupt(CoreFailure.MALFORMED, what + ": " + found);
  }

  /** Writes a part. Closes nothing. */
  public static final class Writer {
    private final DataOutputStream out;

    /** Begins a part. */
    public Writer(OutputStream stored) throws IOException {
      out = new DataOutputStream(stored);
      out.write(MAGIC);
    }

    /** Begins a pack, whose chunks follow. */
    public void pack(ObjectRef pack, int chunks) throws IOException {
      out.write(pack.stored().bytes());
      out.writeLong(pack.lengthBytes());
      out.writeInt(chunks);
    }

    /** Adds a chunk of the pack that came last. */
    public void chunk(byte[] ids, int at, int storedBytes, int plainBytes) throws IOException {
      out.write(ids, at, ChunkId.BYTES);
      out.writeInt(storedBytes);
      out.writeInt(plainBytes);
    }

    /** Writes what it is given. */
    Visitor visitor() {
      return new Visitor() {
        @Override
        public void pack(ObjectRef pack, int chunks) throws IOException {
          Writer.this.pack(pack, chunks);
        }

        @Override
        public void chunk(byte[] id, int offset, int storedBytes, int plainBytes)
            throws IOException {
          Writer.this.chunk(id, 0, storedBytes, plainBytes);
        }
      };
    }

    /** Copies the packs of another part that are wanted. */
    void copy(InputStream part, String writer, String what, IoPredicate<ObjectRef> isWanted)
        throws IOException {
      read(
          part,
          writer,
          what,
          new Visitor() {
            private boolean isCopied;

            @Override
            public void pack(ObjectRef pack, int chunks) throws IOException {
              isCopied = isWanted.test(pack);
              if (isCopied) {
                Writer.this.pack(pack, chunks);
              }
            }

            @Override
            public void chunk(byte[] id, int offset, int storedBytes, int plainBytes)
                throws IOException {
              if (isCopied) {
                Writer.this.chunk(id, 0, storedBytes, plainBytes);
              }
            }
          });
    }

    /** Hands over what is held back. */
    public void flush() throws IOException {
      out.flush();
    }
  }
}
