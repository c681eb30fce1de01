package org.stellaops.backup.storage.s3;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * The bytes of an object within a range. Where the connection breaks, it goes on from there by
 * another request, for the same bytes: an object that was replaced meanwhile is refused.
 */
final class S3Download extends InputStream {
  private static final Logger LOG = LoggerFactory.getLogger(S3Download.class);

  private final S3Calls calls;
  private final S3Pace pace;
  private final String tried;
  private final String key;
  private final @Nullable String version;
  private final String tag;
  private final long end;
  private long position;
  private int failed;
  private ResponseInputStream<GetObjectResponse> in;

  private S3Download(
      S3Calls calls,
      S3Pace pace,
      String tried,
      String key,
      @Nullable String version,
      long position,
      ResponseInputStream<GetObjectResponse> in) {
    this.calls = calls;
    this.pace = pace;
    this.tried = tried;
    this.key = key;
    this.version = version;
    this.position = position;
    this.in = in;
    tag = in.response().eTag();
    end = position + in.response().contentLength();
  }

  /**
   * The reply, if it is about bytes from {@code from} on and before {@code to}; else it is cut off.
   * A server that does not know ranges answers with all there is.
   */
  private static ResponseInputStream<GetObjectResponse> required(
      S3Calls calls, String tried, long from, long to, ResponseInputStream<GetObjectResponse> reply)
      throws BackupException {
    Long length = reply.response().contentLength();
    String range = reply.response().contentRange();
    if (length == null || length < 0) {
      reply.abort();
      throw calls.failures().refused(tried, "the server does not say how long its answer is");
    }
    boolean isFromThere = range == null ? from == 0 : range.startsWith("bytes " + from + "-");
    if (!isFromThere || length > to - from) {
      reply.abort();
      throw calls
          .failures()
          .refused(
              tried,
              "the server was asked for %s and answers with %d bytes, %s"
                  .formatted(text(from, to), length, range == null ? "of no range" : range));
    }
    return reply;
  }

  /** The caller closes. */
  static InputStream open(S3Calls calls, S3Pace pace, String tried, String key, ByteRange range)
      throws IOException {
    return open(calls, pace, tried, key, null, range);
  }

  /**
   * The same of one version. The caller closes.
   *
   * @param version null means the newest
   */
  static InputStream open(
      S3Calls calls,
      S3Pace pace,
      String tried,
      String key,
      @Nullable String version,
      ByteRange range)
      throws IOException {
    if (range.lengthBytes() == 0) {
      calls.headOf(tried, key);
      return InputStream.nullInputStream();
    }
    GetObjectRequest.Builder request =
        GetObjectRequest.builder().bucket(calls.bucket()).key(key).versionId(version);
    if (!range.equals(ByteRange.ALL)) {
      request.range(text(range.offset(), range.endIn(Long.MAX_VALUE)));
    }
    try {
      ResponseInputStream<GetObjectResponse> reply =
          calls.attempt(c -> c.getObject(request.build()));
      long from = range.offset();
      long to = range.endIn(Long.MAX_VALUE);
      return new S3Download(
          calls, pace, tried, key, version, from, required(calls, tried, from, to, reply));
    } catch (SdkException e) {
      if (e instanceof AwsServiceException reply && reply.statusCode() == 416) {
        return InputStream.nullInputStream(); // the object ends before the range begins
      }
      throw calls.failures().translate(tried, e);
    }
  }

  /** From the first byte to before the end. */
  private static String text(long from, long to) {
    return to == Long.MAX_VALUE
        ? "bytes=%d-".formatted(from)
        : "bytes=%d-%d".formatted(from, to - 1);
  }

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
    while (position < end) {
      calls.stopping().check();
      try {
        int read = in.read(bytes, offset, (int) Math.min(length, end - position));
        if (read > 0) {
          position += read;
          failed = 0;
          return read;
        }
        throw new EOFException("the reply ends %d bytes too early".formatted(end - position));
      } catch (SdkException e) {
        in.abort();
        throw calls.failures().translate(tried, e);
      } catch (IOException e) {
        goOn(e);
      }
    }
    return -1;
  }

  private void goOn(IOException e) throws IOException {
    in.abort();
    failed++;
    if (failed >= pace.attempts()) {
      throw calls.failures().broken(tried, e);
    }
    LockSupport.parkNanos(pace.firstDelay().toNanos() << Math.min(failed - 1, 5));
    try {
      ResponseInputStream<GetObjectResponse> reply =
          calls.attempt(
              c ->
                  c.getObject(
                      r ->
                          r.bucket(calls.bucket())
                              .key(key)
                              .versionId(version)
                              .range(text(position, end))
                              .ifMatch(tag)));
      in = required(calls, tried, position, end, reply);
      if (in.response().contentLength() != end - position) {
        in.abort();
        throw calls
            .failures()
            .refused(tried, "the object was of another length when it was read on");
      }
    } catch (SdkException again) {
      throw S3Failures.isConflict(again)
          ? calls.failures().refused(tried, "the object was replaced while it was read")
          : calls.failures().translate(tried, again);
    }
  }

  /** A reply that is not wanted to its end is cut off rather than read. */
  @Override
  public void close() throws IOException {
    if (position < end) {
      in.abort();
    }
    try {
      in.close();
    } catch (AbortedException e) {
      // The SDK's word for an interrupted thread, which that stays; all is closed.
      LOG.debug("interrupted while {} was closed", tried, e);
    }
  }
}
