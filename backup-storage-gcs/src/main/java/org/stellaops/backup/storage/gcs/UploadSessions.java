package org.stellaops.backup.storage.gcs;

import com.google.api.client.http.javanet.ConnectionFactory;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URL;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Remembers at which address the upload of a thread goes on, so that it can be given up there:
 * Google lists no unfinished uploads, and the SDK keeps the address to itself. It is the SDK's way
 * to connect; one upload of a thread at a time.
 */
final class UploadSessions implements ConnectionFactory {
  private static final Logger LOG = LoggerFactory.getLogger(UploadSessions.class);

  /** So do addresses of uploads say which they are of; whoever has one may give it up. */
  private static final String MARK = "upload_id=";

  /** It is a courtesy, and not worth a long wait. */
  private static final int TIMEOUT_MILLIS = 5000;

  private final Map<Thread, URL> addresses = new ConcurrentHashMap<>();

  @Override
  public HttpURLConnection openConnection(URL url) throws IOException {
    String query = url.getQuery();
    if (query != null && query.contains(MARK)) {
      addresses.put(Thread.currentThread(), url);
    }
    return (HttpURLConnection) url.openConnection();
  }

  /** Whether this thread has an upload that goes on somewhere. */
  boolean isUnderWay() {
    return addresses.containsKey(Thread.currentThread());
  }

  /** This thread is done with its upload, however it ended. */
  void forget() {
    addresses.remove(Thread.currentThread());
  }

  /** Tells Google that this thread's upload will not go on; else it is forgotten after a week. */
  void giveUp() {
    URL url = addresses.get(Thread.currentThread());
    if (url == null) {
      return;
    }
    try {
      var connection = (HttpURLConnection) url.openConnection();
      connection.setRequestMethod("DELETE");
      connection.setConnectTimeout(TIMEOUT_MILLIS);
      connection.setReadTimeout(TIMEOUT_MILLIS);
      // 499 is Google's way to say that it is done.
      LOG.debug("an upload was given up: status {}", connection.getResponseCode());
      connection.disconnect();
    } catch (IOException e) {
      // Without the address: whoever has it may go on with the upload.
      LOG.debug("an upload is left to expire: {}", e.getClass().getSimpleName());
    }
  }
}
