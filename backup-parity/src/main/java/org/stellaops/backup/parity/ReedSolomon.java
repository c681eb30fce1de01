package org.stellaops.backup.parity;

import java.io.IOException;
import org.apache.hadoop.io.erasurecode.ErasureCoderOptions;
import org.apache.hadoop.io.erasurecode.rawcoder.RSRawDecoder;
import org.apache.hadoop.io.erasurecode.rawcoder.RSRawEncoder;
import org.jspecify.annotations.Nullable;

/**
 * The code: systematic Reed-Solomon with a Cauchy matrix over GF(2^8), byte by byte, as {@code
 * docs/format/parity.md} says. The only class that knows Hadoop, whose coder computes it.
 *
 * <p>Row {@code p} of the matrix depends on the number of data shards and on {@code p} alone, so
 * further volumes can be added to a group and the first ones stay as they are. One thread.
 */
final class ReedSolomon {
  /** The field has 256 elements, and the coder wants one more than it uses. */
  static final int MAX_SHARDS = 255;

  private final RSRawEncoder encoder;
  private final RSRawDecoder decoder;

  /**
   * @param data shards with data, 1 or more
   * @param parity shards with parity, 1 or more; at most {@link #MAX_SHARDS} together
   */
  ReedSolomon(int data, int parity) {
    if (data < 1 || parity < 1 || data + parity > MAX_SHARDS) {
      throw new IllegalArgumentException(
          "%d data and %d parity shards, allowed are 1 or more of each and %d together"
              .formatted(data, parity, MAX_SHARDS));
    }
    var options = new ErasureCoderOptions(data, parity);
    this.encoder = new RSRawEncoder(options);
    this.decoder = new RSRawDecoder(options);
  }

  /** Fills {@code parity} from {@code data}; all of one length, which is not 0. */
  void encode(byte[][] data, byte[][] parity) throws IOException {
    encoder.encode(data, parity);
  }

  /**
   * Fills {@code found} with the shards whose numbers are {@code lost}.
   *
   * @param shards data, then parity; null where a shard is lost or not to be used; as many others
   *     as there are data shards, at least
   */
  void decode(byte[] @Nullable [] shards, int[] lost, byte[][] found) throws IOException {
    decoder.decode(shards, lost, found);
  }
}
