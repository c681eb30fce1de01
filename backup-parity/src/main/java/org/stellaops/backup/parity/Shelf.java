package org.stellaops.backup.parity;

import java.io.BufferedInputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;

/** The volumes that are there, by group. */
final class Shelf {
  private static final Pattern NAME = Pattern.compile("([0-9a-f]{64})-(0|[1-9][0-9]{0,17})\\.rs");

  private final Map<Digest, ShelvedGroup> groups = new LinkedHashMap<>();
  private final Map<Path, String> damaged = new TreeMap<>();
  private long bytes;

  private Shelf() {}

  /**
   * Looks at every volume.
   *
   * @param isReadWhole whether to compare each with its name, or its header and length only
   */
  static Shelf read(Medium medium, boolean isReadWhole, Meter meter) throws IOException {
    Shelf shelf = new Shelf();
    for (Path file : medium.listParity()) {
      Matcher name = NAME.matcher(file.getFileName().toString());
      if (name.matches()) {
        try {
          shelf.add(file, name, isReadWhole, meter);
        } catch (BackupException e) {
          throw e;
        } catch (IOException e) {
          throw medium.failure("read " + file.getFileName(), e);
        }
      }
    }
    return shelf;
  }

  /** Sum of the sizes of what stands among the volumes. */
  static long storedBytes(Medium medium) throws IOException {
    long sum = 0;
    for (Path file : medium.listParity()) {
      sum += StoredFile.size(file).orElse(0);
    }
    return sum;
  }

  private void add(Path file, Matcher name, boolean isReadWhole, Meter meter) throws IOException {
    long size = Long.parseLong(name.group(2));
    Optional<VolumeHeader> header = header(file, size);
    if (header.isPresent() && isReadWhole) {
      bytes += size;
      Optional<String> wrong = StoredFile.examine(file, size, Digest.parse(name.group(1)), meter);
      if (wrong.isPresent()) {
        damaged.put(file, wrong.get());
        expect(header.get());
        return;
      }
    }
    header.ifPresent(h -> expect(h).put(new Volume(file, h)));
  }

  private ShelvedGroup expect(VolumeHeader header) {
    ShelvedGroup shelved =
        groups.computeIfAbsent(header.group().id(), id -> new ShelvedGroup(header.group()));
    shelved.expect(header.volumes());
    return shelved;
  }

  private Optional<VolumeHeader> header(Path file, long size) throws IOException {
    try (InputStream in = new BufferedInputStream(new FileInputStream(file.toFile()))) {
      VolumeHeader header = VolumeHeader.read(in, file.getFileName().toString());
      OptionalLong found = StoredFile.size(file);
      if (header.volumeBytes() == size && found.isPresent() && found.getAsLong() == size) {
        return Optional.of(header);
      }
      damaged.put(file, "has not the length that its name and its header say");
      expect(header);
    } catch (BackupException e) {
      damaged.put(file, e.detail());
    } catch (IOException e) {
      if (Medium.isDenied(e)) {
        throw e;
      }
      damaged.put(file, "cannot be read: " + e.getMessage());
    }
    return Optional.empty();
  }

  /** All groups of which at least a header could be read. */
  List<ShelvedGroup> groups() {
    return List.copyOf(groups.values());
  }

  /** Files that are not what their names say, with what is wrong. */
  Map<Path, String> damaged() {
    return damaged;
  }

  /** How many bytes of volumes were read whole. */
  long bytes() {
    return bytes;
  }

  /** What groups say of files, by name. */
  Map<String, Set<Member>> members() {
    Map<String, Set<Member>> members = new TreeMap<>();
    for (ShelvedGroup shelved : groups.values()) {
      for (Member member : shelved.group().members()) {
        members.computeIfAbsent(member.name(), n -> new HashSet<>()).add(member);
      }
    }
    return members;
  }

  /** What is wrong with volumes. */
  List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    damaged.forEach(
        (file, wrong) ->
            findings.add(
                new Finding(
                    ParityFailure.VOLUME_DAMAGED,
                    FileName.PARITY + "/" + file.getFileName(),
                    wrong)));
    for (ShelvedGroup shelved : groups.values()) {
      int missing = shelved.missing(0).size();
      if (missing > 0) {
        findings.add(
            new Finding(
                ParityFailure.VOLUME_DAMAGED,
                FileName.PARITY,
                "%d of %d volumes are missing of the group with %s"
                    .formatted(
                        missing, shelved.expected(), shelved.group().members().get(0).name())));
      }
    }
    return findings;
  }
}
