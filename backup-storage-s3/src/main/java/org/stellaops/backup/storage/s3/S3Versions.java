package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.s3.model.DeleteMarkerEntry;
import software.amazon.awssdk.services.s3.model.ListObjectVersionsRequest;
import software.amazon.awssdk.services.s3.model.ListObjectVersionsResponse;
import software.amazon.awssdk.services.s3.model.ObjectVersion;

/** What a bucket has of each key: versions and delete markers, as its listing shows them. */
final class S3Versions {
  private final S3Calls calls;
  private final int pageSize;

  S3Versions(S3Calls calls, int pageSize) {
    this.calls = calls;
    this.pageSize = pageSize;
  }

  /**
   * One version or delete marker.
   *
   * @param storedAt to the second: two may have the same
   * @param lengthBytes 0 of a marker
   */
  record Version(
      String id, Instant storedAt, long lengthBytes, boolean isLatest, boolean isMarker) {}

  /** What was seen of a key: each newest first, as the server lists them. */
  private static final class Seen {
    private final ArrayDeque<Version> versions = new ArrayDeque<>();
    private final ArrayDeque<Version> markers = new ArrayDeque<>();

    private final Set<String> ids = new HashSet<>();

    /** Some servers show one on two pages. */
    void addVersion(Version version) {
      if (ids.add(version.id())) {
        versions.add(version);
      }
    }

    void addMarker(Version marker) {
      if (ids.add(marker.id())) {
        markers.add(marker);
      }
    }

    /** All of it, newest first. Of the same second a marker hides what it was put on. */
    List<Version> inOrder() {
      List<Version> all = new ArrayList<>();
      while (!versions.isEmpty() || !markers.isEmpty()) {
        all.add(isMarkerNext() ? markers.remove() : versions.remove());
      }
      return all;
    }

    private boolean isMarkerNext() {
      Version version = versions.peek();
      Version marker = markers.peek();
      return version == null
          || (marker != null
              && !version.isLatest()
              && (marker.isLatest() || !marker.storedAt().isBefore(version.storedAt())));
    }
  }

  /** Takes what there is of a key. */
  @FunctionalInterface
  interface Each {
    /**
     * @param versions newest first
     * @return whether more is wanted
     */
    boolean take(String key, List<Version> versions) throws IOException;
  }

  /** Everything of exactly one key, oldest first. */
  List<Version> of(String tried, String key) throws IOException {
    List<Version> all = new ArrayList<>();
    each(
        tried,
        key,
        (found, versions) -> {
          if (found.equals(key)) {
            all.addAll(versions);
          }
          return false; // keys come in order, and this one is the first with itself as prefix
        });
    Collections.reverse(all);
    return all;
  }

  /** Everything of the keys that begin with {@code prefix}, key by key. */
  void each(String tried, String prefix, Each each) throws IOException {
    Map<String, Seen> pending = new LinkedHashMap<>();
    ListObjectVersionsRequest.Builder request =
        ListObjectVersionsRequest.builder().bucket(calls.bucket()).prefix(prefix).maxKeys(pageSize);
    String at = null;
    boolean isMore = true;
    while (isMore) {
      ListObjectVersionsResponse page =
          calls.make(tried, c -> c.listObjectVersions(request.build()));
      add(page, pending);
      isMore = Boolean.TRUE.equals(page.isTruncated());
      if (isMore) {
        String next = marker(page.nextKeyMarker(), page.nextVersionIdMarker());
        calls.failures().requireFurther(tried, at, next);
        at = next;
      }
      request.keyMarker(page.nextKeyMarker()).versionIdMarker(page.nextVersionIdMarker());
      Map<String, Seen> cut = isMore ? takeLast(page, pending) : Map.of();
      for (Map.Entry<String, Seen> key : pending.entrySet()) {
        if (!each.take(key.getKey(), key.getValue().inOrder())) {
          return;
        }
      }
      pending.clear();
      pending.putAll(cut);
    }
  }

  /** Of a key and what of it was seen; empty without a key. */
  static String marker(@Nullable String key, @Nullable String id) {
    return key == null || key.isEmpty() ? "" : key + "\n" + (id == null ? "" : id);
  }

  /** Of the last key of a page more may follow; it is that of a version or of a marker. */
  private static Map<String, Seen> takeLast(
      ListObjectVersionsResponse page, Map<String, Seen> pending) {
    Map<String, Seen> cut = new LinkedHashMap<>();
    List<String> last = new ArrayList<>();
    if (!page.versions().isEmpty()) {
      last.add(page.versions().get(page.versions().size() - 1).key());
    }
    if (!page.deleteMarkers().isEmpty()) {
      last.add(page.deleteMarkers().get(page.deleteMarkers().size() - 1).key());
    }
    for (String key : last) {
      Seen seen = pending.remove(key);
      if (seen != null) {
        cut.put(key, seen);
      }
    }
    return cut;
  }

  private static void add(ListObjectVersionsResponse page, Map<String, Seen> pending) {
    for (ObjectVersion v : page.versions()) {
      of(v.key(), pending)
          .addVersion(new Version(v.versionId(), v.lastModified(), v.size(), v.isLatest(), false));
    }
    for (DeleteMarkerEntry m : page.deleteMarkers()) {
      of(m.key(), pending)
          .addMarker(new Version(m.versionId(), m.lastModified(), 0, m.isLatest(), true));
    }
  }

  private static Seen of(String key, Map<String, Seen> pending) {
    return pending.computeIfAbsent(key, k -> new Seen());
  }
}
