package org.stellaops.backup.storage.azure;

import java.io.IOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;

/** The body of an answer, which fails when it is longer than any answer may be. */
@SuppressWarnings("NullAway.Init") // subscribed to before anything is received
final class BoundedBody implements BodySubscriber<byte[]> {
  private final BodySubscriber<byte[]> inner = BodySubscribers.ofByteArray();
  private final long maxBytes;
  private Flow.Subscription subscription;
  private long received;
  private boolean isRefused;

  BoundedBody(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  @Override
  public CompletionStage<byte[]> getBody() {
    return inner.getBody();
  }

  @Override
  public void onSubscribe(Flow.Subscription given) {
    subscription = given;
    inner.onSubscribe(given);
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    if (isRefused) {
      return;
    }
    buffers.forEach(buffer -> received += buffer.remaining());
    if (received > maxBytes) {
      isRefused = true;
      subscription.cancel();
      inner.onError(new IOException("an answer of more than %d bytes".formatted(maxBytes)));
    } else {
      inner.onNext(buffers);
    }
  }

  @Override
  public void onError(Throwable failure) {
    inner.onError(failure);
  }

  @Override
  public void onComplete() {
    inner.onComplete();
  }
}
