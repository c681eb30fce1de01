package org.stellaops.backup.storage.azure;

import com.azure.core.util.Context;
import com.azure.storage.blob.models.BlobDownloadContentResponse;
import com.azure.storage.blob.models.BlobRange;
import com.azure.storage.blob.models.BlobRequestConditions;
import com.azure.storage.blob.models.BlobStorageException;
import com.azure.storage.blob.models.DownloadRetryOptions;
import com.azure.storage.blob.options.BlobDownloadContentOptions;
import com.azure.storage.blob.specialized.BlockBlobClient;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ByteRange;

/**
 * A range of a blob, fetched a part at a time.
 *
 * <p>Every part is of the version that the first was of. No connection is held between reads, so a
 * stream that is given up leaves nothing to drain.
 */
final class BlobInput extends InputStream {
  private static final String RIGHT = "read blobs";

  /** No blob is as large, and the end of a range must fit into a long. */
  private static final long MAX_OFFSET = 1L << 60;

  private static final int RANGE_NOT_SATISFIABLE = 416;

  /** Of an empty blob the last byte is byte -1 to some. */
  private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d+)-(-?\\d+)/(\\d+)");

  private final String tried;
  private final BlockBlobClient blob;
  private final AzureRequests requests;
  private final int partBytes;
  private final ByteRange range;

  private byte[] part = new byte[0];
  private int position;
  private long next;
  private long end;
  private @Nullable String version;

  private BlobInput(
      String tried, BlockBlobClient blob, AzureRequests requests, int partBytes, ByteRange range) {
    this.tried = tried;
    this.blob = blob;
    this.requests = requests;
    this.partBytes = partBytes;
    this.range = range;
    this.next = range.offset();
    this.end = range.endIn(Long.MAX_VALUE);
  }

  /** Fetches the first part, so that a blob that is not there is known. */
  static InputStream open(
      String tried, BlockBlobClient blob, AzureRequests requests, int partBytes, ByteRange range)
      throws IOException {
    if (range.lengthBytes() == 0 || range.offset() > MAX_OFFSET) {
      requests.send(tried, RIGHT, blob::getProperties);
      return InputStream.nullInputStream();
    }
    var input = new BlobInput(tried, blob, requests, partBytes, range);
    input.fetch();
    return input;
  }

  @Override
  public int read() throws IOException {
    return isAtEnd() ? -1 : part[position++] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (isAtEnd()) {
      return -1;
    }
    int count = Math.min(length, part.length - position);
    System.arraycopy(part, position, buffer, offset, count);
    position += count;
    return count;
  }

  @Override
  public int available() {
    return part.length - position;
  }

  private boolean isAtEnd() throws IOException {
    if (position == part.length && next < end) {
      fetch();
    }
    return position == part.length;
  }

  private void fetch() throws IOException {
    var options =
        new BlobDownloadContentOptions()
            .setRange(new BlobRange(next, Math.min(partBytes, end - next)))
            .setDownloadRetryOptions(new DownloadRetryOptions().setMaxRetryRequests(0))
            .setRequestConditions(new BlobRequestConditions().setIfMatch(version));
    Optional<BlobDownloadContentResponse> answer =
        requests.send(tried, RIGHT, () -> unlessBehindTheEnd(options));
    if (answer.isPresent()) {
      take(answer.get());
    } else {
      end = next;
    }
  }

  private Optional<BlobDownloadContentResponse> unlessBehindTheEnd(
      BlobDownloadContentOptions options) {
    try {
      return Optional.of(blob.downloadContentWithResponse(options, null, Context.NONE));
    } catch (BlobStorageException e) {
      if (e.getStatusCode() == RANGE_NOT_SATISFIABLE) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** What was asked for and no less; the first answer says where the blob ends. */
  private void take(BlobDownloadContentResponse answer) throws IOException {
    String said = String.valueOf(answer.getDeserializedHeaders().getContentRange());
    Matcher header = CONTENT_RANGE.matcher(said);
    if (!header.matches() || Long.parseLong(header.group(1)) != next) {
      throw requests
          .failures()
          .refused(tried, "asked for bytes from %d, found %s".formatted(next, said));
    }
    byte[] found = answer.getValue().toBytes();
    end = range.endIn(Long.parseLong(header.group(3)));
    long expected = Math.min(partBytes, end - next);
    if (found.length != expected) {
      throw requests
          .failures()
          .cut(tried, "expected %d bytes at %d, found %d".formatted(expected, next, found.length));
    }
    part = found;
    position = 0;
    next += found.length;
    version = answer.getDeserializedHeaders().getETag();
  }
}
