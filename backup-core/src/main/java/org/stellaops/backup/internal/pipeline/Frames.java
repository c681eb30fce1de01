package org.stellaops.backup.internal.pipeline;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import java.io.IOException;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * Frames of a run, one after the other. Each must say its content size, and none may hold more than
 * {@link #MAX_PLAIN_BYTES}: so a frame that lies about its size costs an error, not memory.
 */
final class Frames {
  /** Largest chunk of the format. */
  static final int MAX_PLAIN_BYTES = 8 << 20;

  private final byte[] run;
  private final long plainBytes;
  private final String what;
  private int at;
  private long found;

  /**
   * @param run stored bytes of the frames
   * @param plainBytes what they hold together, as the manifest declares it
   * @param what holds them, for messages
   */
  Frames(byte[] run, long plainBytes, String what) {
    this.run = run;
    this.plainBytes = plainBytes;
    this.what = what;
  }

  /** No frames. */
  static Frames none() {
    return new Frames(new byte[0], 0, "");
  }

  /** Where a frame stands in the bytes of its run. */
  record Frame(int offset, int storedBytes, int plainBytes) {}

  /** The next frame; empty behind the last, when all of them have been what was declared. */
  Optional<Frame> next() throws IOException {
    if (at == run.length) {
      if (found != plainBytes) {
        throw malformed(
            what, 0, "frames of %d plain bytes, declared are %d".formatted(found, plainBytes));
      }
      return Optional.empty();
    }
    Frame frame = frameAt(run, at, what);
    at += frame.storedBytes();
    found += frame.plainBytes();
    return Optional.of(frame);
  }

  byte[] decompress(Frame frame) throws IOException {
    return decompress(run, frame, what);
  }

  private static Frame frameAt(byte[] run, int at, String what) throws IOException {
    long stored;
    long plain;
    try {
      stored = Zstd.findFrameCompressedSize(run, at, run.length - at);
      plain = Zstd.getFrameContentSize(run, at, run.length - at);
    } catch (ZstdException e) {
      throw malformed(what, at, String.valueOf(e.getMessage()));
    }
    if (Zstd.isError(stored) || stored <= 0 || stored > run.length - at) {
      throw malformed(what, at, "no whole zstd frame");
    }
    if (plain <= 0 || plain > MAX_PLAIN_BYTES) {
      throw malformed(
          what, at, "a frame of %d plain bytes, allowed 1 to %d".formatted(plain, MAX_PLAIN_BYTES));
    }
    return new Frame(at, (int) stored, (int) plain);
  }

  private static byte[] decompress(byte[] run, Frame frame, String what) throws IOException {
    byte[] plain = new byte[frame.plainBytes()];
    long length;
    try {
      length =
          Zstd.decompressByteArray(
              plain, 0, plain.length, run, frame.offset(), frame.storedBytes());
    } catch (ZstdException e) {
      throw malformed(what, frame.offset(), String.valueOf(e.getMessage()));
    }
    if (length != plain.length) {
      throw malformed(
          what, frame.offset(), "a frame that does not decompress to the size it declares");
    }
    return plain;
  }

  private static IOException malformed(String what, int at, String found) {
    return new BackupException.Corrupt(
        CoreFailure.MALFORMED, "%s at byte %d: %s".formatted(what, at, found));
  }
}
