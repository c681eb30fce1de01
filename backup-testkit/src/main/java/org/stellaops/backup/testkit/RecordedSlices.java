package org.stellaops.backup.testkit;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.model.StreamMark;

/** What a source has recorded, in memory. From any thread. */
final class RecordedSlices {
  private final Map<SliceSpan, byte[]> slices = new LinkedHashMap<>();
  private final Map<Long, Position> ends = new LinkedHashMap<>();
  private final Map<String, byte[]> companions = new LinkedHashMap<>();
  private final List<SliceSpan> merges = new ArrayList<>();
  private final List<StreamGap> gaps = new ArrayList<>();
  private final List<StreamMark> marks = new ArrayList<>();
  private final List<Finding> findings = new ArrayList<>();
  private Optional<String> lineage = Optional.empty();
  private Optional<Position> durable = Optional.empty();

  synchronized Optional<String> lineage() {
    return lineage;
  }

  synchronized Optional<Position> durable() {
    return durable;
  }

  synchronized Optional<Position> end(long branch) {
    return Optional.ofNullable(ends.get(branch));
  }

  /** The bytes of exactly this range. */
  synchronized Optional<byte[]> slice(SliceSpan span) {
    return slices.entrySet().stream()
        .filter(s -> s.getKey().from().isAt(span.from()) && s.getKey().to().isAt(span.to()))
        .map(Map.Entry::getValue)
        .findFirst();
  }

  synchronized void record(SliceSpan span, byte[] bytes, List<StreamMark> named) {
    slices.put(span, bytes);
    lineage = Optional.of(span.from().lineage());
    ends.merge(
        span.to().branch(),
        span.to(),
        (a, b) -> Long.compareUnsigned(a.offset(), b.offset()) < 0 ? b : a);
    durable = end(span.to().branch());
    named.stream().filter(m -> !marks.contains(m)).forEach(marks::add);
  }

  synchronized void merged(SliceSpan whole) {
    merges.add(whole);
  }

  synchronized void lost(StreamGap gap) {
    lineage = Optional.of(gap.from().lineage());
    if (!gaps.contains(gap)) {
      gaps.add(gap);
    }
  }

  /** Whether it was recorded that something is lost between these two, or more. */
  synchronized boolean isGap(Position end, Position from) {
    return gaps.stream()
        .anyMatch(
            g -> g.to().isAt(from) && Long.compareUnsigned(g.from().offset(), end.offset()) <= 0);
  }

  synchronized Optional<byte[]> companion(String name) {
    return Optional.ofNullable(companions.get(name));
  }

  synchronized void companion(String ofLineage, String name, byte[] bytes) {
    lineage = Optional.of(ofLineage);
    companions.put(name, bytes);
  }

  synchronized void found(Finding finding) {
    findings.add(finding);
  }

  synchronized Optional<Coverage> coverage(SourceName stream, SourceKind kind) {
    return lineage.map(
        l ->
            new Coverage(
                "test." + stream, stream, kind, l, List.copyOf(slices.keySet()), gaps, marks));
  }

  synchronized byte[] bytes(SliceSpan span) {
    return find(span)
        .orElseThrow(
            () -> new AssertionError(span + " is not recorded, there is " + slices.keySet()));
  }

  /** Put together from whatever slices hold it. */
  synchronized Optional<byte[]> find(SliceSpan span) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Position at = span.from();
    while (!at.isAt(span.to())) {
      Position here = at;
      Optional<SliceSpan> holding =
          slices.keySet().stream().filter(s -> holds(s, here)).findFirst();
      if (holding.isEmpty()) {
        return Optional.empty();
      }
      SliceSpan slice = holding.get();
      Position to =
          Long.compareUnsigned(slice.to().offset(), span.to().offset()) < 0
              ? slice.to()
              : span.to();
      bytes.writeBytes(part(slice, at, to));
      at = to;
    }
    return Optional.of(bytes.toByteArray());
  }

  /** A part of a slice can be had only where offsets count bytes. */
  private byte[] part(SliceSpan slice, Position from, Position to) {
    byte[] bytes = slices.getOrDefault(slice, new byte[0]);
    if (from.isAt(slice.from()) && to.isAt(slice.to())) {
      return bytes;
    }
    int begin = Math.toIntExact(from.offset() - slice.from().offset());
    return Arrays.copyOfRange(bytes, begin, begin + Math.toIntExact(to.offset() - from.offset()));
  }

  private static boolean holds(SliceSpan slice, Position at) {
    return slice.from().lineage().equals(at.lineage())
        && slice.from().branch() == at.branch()
        && Long.compareUnsigned(slice.from().offset(), at.offset()) <= 0
        && Long.compareUnsigned(at.offset(), slice.to().offset()) < 0;
  }

  synchronized Map<String, byte[]> companions() {
    return new LinkedHashMap<>(companions);
  }

  synchronized List<SliceSpan> merges() {
    return List.copyOf(merges);
  }

  synchronized List<Finding> findings() {
    return List.copyOf(findings);
  }
}
