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

  /** Many small frames in one go cost less than each by itself, which is a task for a thread. */
  private static final int STRETCH_BYTES = 1 << 20;

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

  /** Where one frame or several stand in the bytes of their run. */
  record Stretch(int offset, int storedBytes, int plainBytes) {}

  /** The next frames; empty behind the last, when all of them have been what was declared. */
  Optional<Stretch> next() throws IOException {
    if (at == run.length) {
      if (found != plainBytes) {
        throw malformed(
            what, 0, "frames of %d plain bytes, declared are %d".formatted(found, plainBytes));
      }
      return Optional.empty();
    }
    int offset = at;
    int plain = 0;
    while (at < run.length) {
      Stretch frame = frameAt(run, at, run.length, what);
      if (plain > 0 && plain + frame.plainBytes() > STRETCH_BYTES) {
        break;
      }
      at += frame.storedBytes();
      plain += frame.plainBytes();
    }
    found += plain;
    return Optional.of(new Stretch(offset, at - offset, plain));
  }

  byte[] decompress(Stretch frames) throws IOException {
    return decompress(run, frames, what);
  }

  /** The frame that begins there, which must end before {@code end}. */
  static Stretch frameAt(byte[] run, int at, int end, String what) throws IOException {
    long stored;
    long plain;
    try {
      stored = Zstd.findFrameCompressedSize(run, at, end - at);
      plain = Zstd.getFrameContentSize(run, at, end - at);
    } catch (ZstdException e) {
      throw malformed(what, at, String.valueOf(e.getMessage()));
    }
    if (Zstd.isError(stored) || stored <= 0 || stored > end - at) {
      throw malformed(what, at, "no whole zstd frame");
    }
    if (plain <= 0 || plain > MAX_PLAIN_BYTES) {
      throw malformed(
          what, at, "a frame of %d plain bytes, allowed 1 to %d".formatted(plain, MAX_PLAIN_BYTES));
    }
    return new Stretch(at, (int) stored, (int) plain);
  }

  private static byte[] decompress(byte[] run, Stretch frames, String what) throws IOException {
    byte[] plain = new byte[frames.plainBytes()];
    long length;
    try {
      length =
          Zstd.decompressByteArray(
              plain, 0, plain.length, run, frames.offset(), frames.storedBytes());
    } catch (ZstdException e) {
      throw malformed(what, frames.offset(), String.valueOf(e.getMessage()));
    }
    if (length != plain.length) {
      throw malformed(
          what, frames.offset(), "frames that do not decompress to the size they declare");
    }
    return plain;
  }

  private static IOException malformed(String what, int at, String found) {
    return new BackupException.Corrupt(
        CoreFailure.MALFORMED, "%s at byte %d: %s".formatted(what, at, found));
  }
}
