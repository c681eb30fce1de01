package org.stellaops.backup.parity;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;

/**
 * Makes volumes of one group. Every file is read once; its digest is taken on the way, and nothing
 * is published if one of them is not what it should be.
 */
final class GroupEncoder {
  /** Memory for the pieces of all shards together. */
  private static final int ALL_PIECES_BYTES = 8 << 20;

  private static final int SMALLEST_PIECE_BYTES = 4 << 10;
  private static final int LARGEST_PIECE_BYTES = 1 << 20;
  private static final Digest UNKNOWN = Digest.parse("0".repeat(64));

  private final Medium medium;
  private final Meter meter;

  GroupEncoder(Medium medium, Meter meter) {
    this.medium = medium;
    this.meter = meter;
  }

  /**
   * A file that is to be protected.
   *
   * @param expected digest that was recorded of it; null for a file that is new
   */
  record Candidate(String name, long bytes, @Nullable Digest expected) {}

  /**
   * What came of it.
   *
   * @param group what is protected now; null if something was damaged, and nothing was published
   * @param published the volumes
   * @param damaged what is wrong, by name
   */
  record Encoded(@Nullable Group group, List<Path> published, Map<String, String> damaged) {}

  /** How much of each shard is worked on at a time, so that memory does not depend on sizes. */
  static int pieceBytes(int shards, long parityBytes) {
    int share = ALL_PIECES_BYTES / shards / SMALLEST_PIECE_BYTES * SMALLEST_PIECE_BYTES;
    int piece = Math.min(Math.max(share, SMALLEST_PIECE_BYTES), LARGEST_PIECE_BYTES);
    return (int) Math.max(1, Math.min(piece, parityBytes));
  }

  /**
   * Writes the volumes with these indexes, of so many.
   *
   * @throws BackupException.Sink if the medium does not take them
   */
  Encoded encode(List<Candidate> candidates, List<Integer> indexes, int volumes)
      throws IOException {
    List<Path> temporary = new ArrayList<>();
    try {
      for (int i = 0; i < indexes.size(); i++) {
        temporary.add(medium.temporary());
      }
      return encode(candidates, indexes, volumes, temporary);
    } catch (IOException e) {
      medium.discard(temporary, e);
      throw medium.failure("write parity", e);
    }
  }

  private Encoded encode(
      List<Candidate> candidates, List<Integer> indexes, int volumes, List<Path> temporary)
      throws IOException {
    Map<String, String> damaged = new TreeMap<>();
    Group group = fill(candidates, indexes, volumes, temporary, damaged);
    return group == null
        ? nothing(temporary, damaged)
        : new Encoded(group, publish(temporary), damaged);
  }

  /** Writes whole volumes into the temporary files; null if something is damaged. */
  private @Nullable Group fill(
      List<Candidate> candidates,
      List<Integer> indexes,
      int volumes,
      List<Path> temporary,
      Map<String, String> damaged)
      throws IOException {
    try (var files = new Closing<StoredFile>();
        var out = new Closing<RandomAccessFile>()) {
      for (Path file : temporary) {
        out.add(new RandomAccessFile(file.toFile(), "rw"));
      }
      open(candidates, files, damaged);
      if (damaged.isEmpty()) {
        write(candidates, files.all(), indexes, volumes, out.all(), damaged);
      }
      Group group = damaged.isEmpty() ? judge(candidates, files.all(), damaged) : null;
      if (group != null) {
        finish(group, indexes, volumes, out.all());
      }
      return group;
    }
  }

  private void finish(Group group, List<Integer> indexes, int volumes, List<RandomAccessFile> out)
      throws IOException {
    for (int i = 0; i < out.size(); i++) {
      out.get(i).seek(0);
      out.get(i).write(new VolumeHeader(group, indexes.get(i), volumes).encode());
      medium.sync(out.get(i));
    }
  }

  private Encoded nothing(List<Path> temporary, Map<String, String> damaged) throws IOException {
    for (Path file : temporary) {
      medium.delete(file);
    }
    return new Encoded(null, List.of(), damaged);
  }

  private void open(
      List<Candidate> candidates, Closing<StoredFile> files, Map<String, String> damaged)
      throws IOException {
    for (Candidate candidate : candidates) {
      Optional<Digest> named = Member.namedDigest(candidate.name());
      if (named.isPresent() && !Member.agrees(candidate.name(), candidate.bytes(), named.get())) {
        damaged.put(
            candidate.name(),
            "has %d bytes, which is not what its name says".formatted(candidate.bytes()));
      }
      try {
        files.add(new StoredFile(medium.resolve(candidate.name())));
      } catch (IOException e) {
        noteDamage(candidate, e, damaged);
      }
    }
  }

  private void write(
      List<Candidate> candidates,
      List<StoredFile> files,
      List<Integer> indexes,
      int volumes,
      List<RandomAccessFile> out,
      Map<String, String> damaged)
      throws IOException {
    Group sized = new Group(candidates.stream().map(GroupEncoder::unread).toList());
    int piece = pieceBytes(files.size() + volumes, sized.parityBytes());
    byte[][] data = new byte[files.size()][piece];
    byte[][] parity = new byte[volumes][piece];
    var code = new ReedSolomon(files.size(), volumes);
    for (int i = 0; i < out.size(); i++) {
      out.get(i).seek(new VolumeHeader(sized, indexes.get(i), volumes).bytes());
    }
    for (long at = 0; at < sized.parityBytes() && damaged.isEmpty(); at += piece) {
      read(candidates, files, data, damaged);
      code.encode(data, parity);
      int count = (int) Math.min(piece, sized.parityBytes() - at);
      for (int i = 0; i < out.size(); i++) {
        out.get(i).write(parity[indexes.get(i)], 0, count);
      }
    }
  }

  private void read(
      List<Candidate> candidates,
      List<StoredFile> files,
      byte[][] data,
      Map<String, String> damaged)
      throws IOException {
    for (int i = 0; i < data.length; i++) {
      int count = 0;
      try {
        count = files.get(i).read(data[i]);
      } catch (IOException e) {
        noteDamage(candidates.get(i), e, damaged);
      }
      meter.add(count, 0);
    }
  }

  private static void noteDamage(Candidate file, IOException e, Map<String, String> damaged)
      throws IOException {
    if (e instanceof BackupException || Medium.isDenied(e)) {
      throw e;
    }
    damaged.put(file.name(), "cannot be read: " + e.getMessage());
  }

  /** The group of what was read; null if it is not what it should be. */
  private @Nullable Group judge(
      List<Candidate> candidates, List<StoredFile> files, Map<String, String> damaged)
      throws IOException {
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < candidates.size(); i++) {
      Candidate candidate = candidates.get(i);
      long more = files.get(i).read(new byte[1]);
      long bytes = files.get(i).bytes();
      Digest found = files.get(i).digest();
      Optional<String> wrong =
          bytes == candidate.bytes() && more == 0
              ? wrongContent(candidate, found)
              : Optional.of(
                  "has %d bytes or more, expected were %d".formatted(bytes, candidate.bytes()));
      if (wrong.isPresent()) {
        damaged.put(candidate.name(), wrong.get());
      } else {
        members.add(new Member(candidate.name(), bytes, found));
      }
      meter.add(0, 1);
    }
    return damaged.isEmpty() ? new Group(members) : null;
  }

  private Optional<String> wrongContent(Candidate file, Digest found) throws IOException {
    if (file.expected() != null && !file.expected().equals(found)) {
      return Optional.of("has SHA-256 %s, expected was %s".formatted(found, file.expected()));
    }
    if (!Member.agrees(file.name(), file.bytes(), found)) {
      return Optional.of("has SHA-256 %s, which is not the one in its name".formatted(found));
    }
    return file.expected() == null && FileName.isEntry(file.name())
        ? EntryShape.wrong(medium.resolve(file.name()))
        : Optional.empty();
  }

  private List<Path> publish(List<Path> temporary) throws IOException {
    List<Path> published = new ArrayList<>();
    for (Path file : temporary) {
      try (var stored = new StoredFile(file)) {
        byte[] piece = new byte[StoredFile.BUFFER_BYTES];
        while (stored.read(piece) > 0) {
          meter.add(0, 0);
        }
        String name = "%s-%d.rs".formatted(stored.digest(), stored.bytes());
        Path to = medium.parity().resolve(name);
        medium.publish(file, to);
        published.add(to);
      }
    }
    return published;
  }

  /** A file whose digest is not known yet: for the length of a header, all digests are alike. */
  private static Member unread(Candidate file) {
    Digest digest = Member.namedDigest(file.name()).orElse(UNKNOWN);
    return new Member(file.name(), file.bytes(), digest);
  }
}
