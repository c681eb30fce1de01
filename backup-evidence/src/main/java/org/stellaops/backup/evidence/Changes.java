package org.stellaops.backup.evidence;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.tar.TarIndex;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.ParentCapture;

/**
 * What is different from the capture before. Both are in the order of names, so one line of the
 * earlier index is held at a time.
 */
final class Changes implements Closeable {
  /** Findings per kind; the rest is counted. */
  private static final int NAMED = 100;

  private static final Pattern SHA256 = Pattern.compile("(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])");

  private final CaptureSession session;
  private final List<String> changing;
  private final TarIndex.@Nullable Reader earlier;
  private final Map<FailureCode, Long> counts = new HashMap<>();
  private Optional<TarIndex.Line> next = Optional.empty();
  private long newObjects;
  private long newBytes;
  private long knownObjects;
  private long knownBytes;

  private Changes(
      CaptureSession session, List<String> changing, TarIndex.@Nullable Reader earlier) {
    this.session = session;
    this.changing = changing;
    this.earlier = earlier;
  }

  static Changes since(CaptureSession session, List<String> changing) throws IOException {
    Optional<ParentCapture> parent = session.parent();
    var recalled =
        parent.isPresent()
            ? parent.get().recall(EvidenceSource.INDEX)
            : Optional.<InputStream>empty();
    var changes =
        new Changes(
            session,
            changing,
            recalled
                .map(in -> new TarIndex.Reader(in, "the index of the capture before"))
                .orElse(null));
    changes.advance();
    return changes;
  }

  private void advance() throws IOException {
    next = earlier == null ? Optional.empty() : earlier.next();
  }

  /** An object of this capture; they come in order. */
  void met(TarIndex.Line line) throws IOException {
    requireAsNamed(line);
    while (next.isPresent() && TarMember.BY_BYTES.compare(next.get().path(), line.path()) < 0) {
      missing(next.get());
      advance();
    }
    boolean isThere = next.isPresent() && next.get().path().equals(line.path());
    if (isThere && next.get().content().equals(line.content())) {
      knownObjects++;
      knownBytes += line.sizeBytes();
    } else {
      newObjects++;
      newBytes += line.sizeBytes();
      if (isThere) {
        changed(next.get(), line);
      }
    }
    if (isThere) {
      advance();
    }
  }

  private void requireAsNamed(TarIndex.Line line) {
    Matcher named = SHA256.matcher(line.path().substring(line.path().lastIndexOf('/') + 1));
    if (named.find() && !named.group().equals(line.content().hex())) {
      find(EvidenceFailure.NOT_AS_NAMED, line.path(), "its SHA-256 is " + line.content());
    }
  }

  private void missing(TarIndex.Line line) {
    if (!mayChange(line.path())) {
      find(
          EvidenceFailure.OBJECT_MISSING,
          line.path(),
          "was there in the capture before, %d bytes".formatted(line.sizeBytes()));
    }
  }

  private void changed(TarIndex.Line before, TarIndex.Line now) {
    if (!mayChange(now.path())) {
      find(
          CoreFailure.UNEXPECTED_CHANGE,
          now.path(),
          "SHA-256 was %s, is %s".formatted(before.content(), now.content()));
    }
  }

  private boolean mayChange(String name) {
    return changing.stream().anyMatch(c -> c.endsWith("/") ? name.startsWith(c) : name.equals(c));
  }

  private void find(FailureCode code, String name, String what) {
    if (counts.merge(code, 1L, Long::sum) <= NAMED) {
      session.finding(new Finding(code, name, what));
    }
  }

  /** Everything of this capture has been met. */
  void finish() throws IOException {
    for (; next.isPresent(); advance()) {
      missing(next.get());
    }
    counts.forEach(this::summarise);
    session.property("new-objects", Long.toString(newObjects));
    session.property("new-bytes", Long.toString(newBytes));
    session.property("known-objects", Long.toString(knownObjects));
    session.property("known-bytes", Long.toString(knownBytes));
  }

  private void summarise(FailureCode code, long count) {
    if (count > NAMED) {
      session.finding(
          new Finding(code, "and %d more".formatted(count - NAMED), "of the same kind"));
    }
  }

  @Override
  public void close() throws IOException {
    if (earlier != null) {
      earlier.close();
    }
  }
}
