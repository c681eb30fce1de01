package org.stellaops.backup.internal.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.internal.zstd.Decompressed;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

class FramesTest {
  private static byte[] random(int seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static byte[] read(byte[] run, long plainBytes) throws IOException {
    Frames frames = new Frames(run, plainBytes, "the pack");
    ByteArrayOutputStream plain = new ByteArrayOutputStream();
    for (Optional<Frames.Stretch> f = frames.next(); f.isPresent(); f = frames.next()) {
      plain.writeBytes(frames.decompress(f.get()));
    }
    return plain.toByteArray();
  }

  @Test
  void frames_come_out_in_order() throws IOException {
    ByteArrayOutputStream run = new ByteArrayOutputStream();
    ByteArrayOutputStream plain = new ByteArrayOutputStream();
    for (int length : new int[] {1, 255, 256, 65_536, Frames.MAX_PLAIN_BYTES}) {
      byte[] chunk = random(length, length);
      plain.writeBytes(chunk);
      run.writeBytes(Zstd.compress(chunk, 3));
    }
    assertArrayEquals(plain.toByteArray(), read(run.toByteArray(), plain.size()));
    assertArrayEquals(new byte[0], read(new byte[0], 0));
  }

  @Test
  void every_flip_and_truncation_is_refused_or_changes_the_plain_bytes_only() {
    byte[] chunk = random(7, 2000);
    byte[] run = Zstd.compress(chunk, 3);
    for (int at = 0; at < run.length; at++) {
      byte[] flipped = run.clone();
      flipped[at] ^= (byte) (1 << at % 8);
      assertNoOtherFailure(flipped, chunk.length);
      byte[] cut = Arrays.copyOf(run, at);
      assertThrows(BackupException.Corrupt.class, () -> read(cut, chunk.length));
    }
  }

  private static void assertNoOtherFailure(byte[] run, int plainBytes) {
    try {
      assertEquals(plainBytes, read(run, plainBytes).length);
    } catch (BackupException.Corrupt e) {
      assertEquals(CoreFailure.MALFORMED, e.code());
      assertTrue(e.getMessage().contains("the pack"), e.getMessage());
    } catch (IOException e) {
      throw new AssertionError("damage is Corrupt and nothing else", e);
    }
  }

  @Test
  void more_or_fewer_plain_bytes_than_declared_are_refused() {
    byte[] run = Zstd.compress(random(8, 100), 3);
    for (long declared : new long[] {0, 99, 101, Long.MAX_VALUE}) {
      assertThrows(BackupException.Corrupt.class, () -> read(run, declared));
    }
  }

  @Test
  void what_is_no_frame_to_a_stream_is_damage_too() throws IOException {
    byte[] plain = random(9, 5000);
    byte[] frame = Zstd.compress(plain, 3);
    assertArrayEquals(plain, stream(frame));
    for (byte[] wrong : new byte[][] {plain, Arrays.copyOf(frame, frame.length - 1)}) {
      var refused = assertThrows(BackupException.Corrupt.class, () -> stream(wrong));
      assertTrue(refused.getMessage().contains("the manifest"), refused.getMessage());
    }
  }

  private static byte[] stream(byte[] frames) throws IOException {
    try (InputStream in = Decompressed.of(new ByteArrayInputStream(frames), "the manifest")) {
      return in.readAllBytes();
    }
  }
}
