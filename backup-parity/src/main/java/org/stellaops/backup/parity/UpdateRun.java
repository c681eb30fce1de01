package org.stellaops.backup.parity;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.parity.GroupEncoder.Candidate;
import org.stellaops.backup.parity.GroupEncoder.Encoded;

/**
 * Brings the parity up to what is in the repository: writes volumes first, and removes last what
 * nothing needs any more.
 */
final class UpdateRun {
  private static final int BEGINNING_BYTES = 32;

  private final Medium medium;
  private final ParitySettings settings;
  private final Meter meter;
  private final GroupEncoder encoder;
  private final List<Finding> findings = new ArrayList<>();
  private final Set<Path> written = new HashSet<>();

  /** Files that are in a group with all of its volumes. */
  private final Set<String> safe = new HashSet<>();

  private int groups;
  private int removed;

  UpdateRun(Medium medium, ParitySettings settings, Meter meter) {
    this.medium = medium;
    this.settings = settings;
    this.meter = meter;
    this.encoder = new GroupEncoder(medium, meter);
  }

  ParityUpdate execute() throws IOException {
    medium.requireRepository();
    try (Medium.Lock lock = medium.lock()) {
      lock.tidy();
      meter.begin("read parity", settings.readsVolumes() ? Shelf.storedBytes(medium) : 0);
      Shelf shelf = Shelf.read(medium, settings.readsVolumes(), meter);
      meter.end();
      update(shelf);
    }
    return new ParityUpdate(safe.size(), groups, written.size(), removed, findings);
  }

  private void update(Shelf shelf) throws IOException {
    Inventory inventory = Inventory.of(medium);
    Set<String> gone = new HashSet<>(Sweeps.read(medium, inventory, shelf.members()));
    var grouping = new Grouping(inventory, shelf, gone, settings);
    findings.addAll(grouping.findings());
    meter.begin("write parity", expectedBytes(grouping));
    grouping.held().forEach(this::hold);
    for (ShelvedGroup group : grouping.kept()) {
      complete(group);
    }
    for (List<Candidate> group : grouping.made()) {
      make(group);
    }
    meter.end();
    for (ShelvedGroup group : grouping.leaving()) {
      release(group);
    }
    sweepDamaged(shelf);
    findings.addAll(inventory.ignored());
  }

  private long expectedBytes(Grouping grouping) {
    long bytes = 0;
    for (ShelvedGroup group : grouping.kept()) {
      bytes += group.missing(settings.volumes()).isEmpty() ? 0 : group.group().bytes();
    }
    for (List<Candidate> group : grouping.made()) {
      bytes += group.stream().mapToLong(Candidate::bytes).sum();
    }
    return bytes;
  }

  private void hold(ShelvedGroup group) {
    groups++;
    int missing = group.missing(0).size();
    if (missing > 0) {
      findings.add(
          new Finding(
              ParityFailure.VOLUME_DAMAGED,
              FileName.PARITY,
              "%d volumes are missing of the group with %s, of which files are missing, too"
                  .formatted(missing, group.group().members().get(0).name())));
    }
  }

  /** Writes the volumes that a group lacks. */
  private void complete(ShelvedGroup group) throws IOException {
    groups++;
    List<Integer> missing = group.missing(settings.volumes());
    Map<String, String> damaged = Map.of();
    if (!missing.isEmpty()) {
      List<Candidate> candidates =
          group.group().members().stream()
              .map(m -> new Candidate(m.name(), m.bytes(), m.stored()))
              .toList();
      Encoded encoded = encoder.encode(candidates, missing, group.count(settings.volumes()));
      written.addAll(encoded.published());
      damaged = encoded.damaged();
      note(damaged);
    }
    if (damaged.isEmpty()) {
      group.group().members().forEach(m -> safe.add(m.name()));
    }
  }

  /** Makes a group of what is sound among these files. */
  private void make(List<Candidate> files) throws IOException {
    List<Candidate> sound = files;
    while (!sound.isEmpty()) {
      int volumes = Math.min(settings.volumes(), ReedSolomon.MAX_SHARDS - sound.size());
      Encoded encoded =
          encoder.encode(sound, IntStream.range(0, volumes).boxed().toList(), volumes);
      written.addAll(encoded.published());
      note(encoded.damaged());
      if (encoded.group() != null) {
        groups++;
        sound.forEach(f -> safe.add(f.name()));
        return;
      }
      sound = sound.stream().filter(f -> !encoded.damaged().containsKey(f.name())).toList();
    }
  }

  private void note(Map<String, String> damaged) {
    damaged.forEach(
        (name, wrong) -> findings.add(new Finding(ParityFailure.NOT_PROTECTED, name, wrong)));
  }

  /** Removes the volumes of a group if each of its files that is there is safe elsewhere. */
  private void release(ShelvedGroup group) throws IOException {
    Set<String> unsafe = new TreeSet<>();
    for (Member member : group.group().members()) {
      boolean isThere = StoredFile.size(medium.resolve(member.name())).isPresent();
      if (isThere && !safe.contains(member.name())) {
        unsafe.add(member.name());
      }
    }
    if (!unsafe.isEmpty()) {
      groups++;
      return;
    }
    for (Volume volume : group.volumes()) {
      if (!written.contains(volume.file())) {
        medium.delete(volume.file());
        removed++;
      }
    }
  }

  /** A damaged volume may be the last that names a group; it goes only when nothing is amiss. */
  private void sweepDamaged(Shelf shelf) throws IOException {
    for (Map.Entry<Path, String> file : shelf.damaged().entrySet()) {
      if (written.contains(file.getKey())) {
        continue;
      }
      if (findings.isEmpty() && !isForeign(file.getKey())) {
        medium.delete(file.getKey());
        removed++;
      } else {
        findings.add(
            new Finding(
                ParityFailure.VOLUME_DAMAGED,
                FileName.PARITY + "/" + file.getKey().getFileName(),
                file.getValue()));
      }
    }
  }

  private static boolean isForeign(Path file) {
    try (InputStream in = new FileInputStream(file.toFile())) {
      return VolumeHeader.isForeign(in.readNBytes(BEGINNING_BYTES));
    } catch (IOException unreadable) {
      return false;
    }
  }
}
