package org.stellaops.backup.parity;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.parity.ParityRepairPlan.GroupRepair;

/**
 * Brings back files of groups. A file takes its name only when its bytes have the recorded digest,
 * whatever the plan believed of the files and volumes that were read for it.
 */
final class RepairRun {
  private final Medium medium;
  private final Meter meter;
  private final List<String> repaired = new ArrayList<>();
  private final List<Finding> findings = new ArrayList<>();

  RepairRun(Medium medium, Meter meter) {
    this.medium = medium;
    this.meter = meter;
  }

  ParityRepair execute(ParityRepairPlan plan) throws IOException {
    medium.requireRepository();
    try (Medium.Lock lock = medium.lock()) {
      lock.tidy();
      meter.begin("repair", plan.groups().stream().mapToLong(r -> r.group().bytes()).sum());
      for (GroupRepair repair : plan.groups()) {
        repair(repair);
      }
      meter.end();
    }
    plan.report().damaged().stream()
        .filter(d -> !d.isRepairable())
        .forEach(d -> findings.add(d.finding()));
    return new ParityRepair(repaired, findings);
  }

  private void repair(GroupRepair repair) throws IOException {
    Map<Integer, Path> temporary = new TreeMap<>();
    try {
      for (int i : repair.absent()) {
        if (repair.wanted().contains(repair.group().members().get(i))) {
          temporary.put(i, medium.temporary());
        }
      }
      Map<Integer, Digest> found = decode(repair, temporary);
      for (Map.Entry<Integer, Path> file : temporary.entrySet()) {
        settle(
            repair.group().members().get(file.getKey()), found.get(file.getKey()), file.getValue());
      }
    } catch (IOException e) {
      medium.discard(List.copyOf(temporary.values()), e);
      throw medium.failure("repair " + repair.wanted().get(0).name(), e);
    }
  }

  private void settle(Member member, @Nullable Digest found, Path temporary) throws IOException {
    if (found != null && found.equals(member.stored())) {
      medium.publish(temporary, medium.resolve(member.name()));
      repaired.add(member.name());
    } else {
      medium.delete(temporary);
      String what =
          found == null ? "what it takes cannot be read any more" : "came out as " + found;
      findings.add(
          new Finding(
              ParityFailure.NOT_REPAIRED,
              member.name(),
              "%s, expected was %s".formatted(what, member.stored())));
    }
  }

  /** Digests of what came out, by number of the member; none if something could not be read. */
  private Map<Integer, Digest> decode(GroupRepair repair, Map<Integer, Path> temporary)
      throws IOException {
    List<Member> members = repair.group().members();
    int rows = repair.volumes().stream().mapToInt(v -> v.header().index() + 1).max().orElse(1);
    Map<Integer, MessageDigest> digests = new TreeMap<>();
    try (var in = new Closing<StoredFile>();
        var out = new Closing<RandomAccessFile>()) {
      @Nullable StoredFile[] shards = new StoredFile[members.size() + rows];
      if (!open(repair, in, shards)) {
        return Map.of();
      }
      Map<Integer, RandomAccessFile> files = new TreeMap<>();
      for (Map.Entry<Integer, Path> file : temporary.entrySet()) {
        files.put(file.getKey(), out.add(new RandomAccessFile(file.getValue().toFile(), "rw")));
        digests.put(file.getKey(), Digest.sha256());
      }
      if (!decode(repair, shards, rows, files, digests)) {
        return Map.of();
      }
      for (RandomAccessFile file : files.values()) {
        medium.sync(file);
      }
    }
    Map<Integer, Digest> found = new TreeMap<>();
    digests.forEach((i, digest) -> found.put(i, Digest.of(digest.digest())));
    return found;
  }

  /** Opens the members that are there, and as many volumes as members are not. */
  private boolean open(GroupRepair repair, Closing<StoredFile> in, @Nullable StoredFile[] shards)
      throws IOException {
    List<Member> members = repair.group().members();
    try {
      for (int i = 0; i < members.size(); i++) {
        if (!repair.absent().contains(i)) {
          shards[i] = in.add(new StoredFile(medium.resolve(members.get(i).name())));
        }
      }
      for (Volume volume : repair.volumes().subList(0, repair.absent().size())) {
        StoredFile file = in.add(new StoredFile(volume.file()));
        file.read(new byte[volume.header().bytes()]);
        shards[members.size() + volume.header().index()] = file;
      }
      return true;
    } catch (IOException e) {
      requireDamage(e);
      return false;
    }
  }

  private boolean decode(
      GroupRepair repair,
      @Nullable StoredFile[] shards,
      int rows,
      Map<Integer, RandomAccessFile> files,
      Map<Integer, MessageDigest> digests)
      throws IOException {
    List<Member> members = repair.group().members();
    long length = repair.group().parityBytes();
    int[] lost = repair.absent().stream().mapToInt(Integer::intValue).toArray();
    int piece = GroupEncoder.pieceBytes(shards.length + lost.length, length);
    byte @Nullable [][] pieces = new byte[shards.length][];
    for (int i = 0; i < shards.length; i++) {
      pieces[i] = shards[i] == null ? null : new byte[piece];
    }
    byte[][] found = new byte[lost.length][piece];
    var code = new ReedSolomon(members.size(), rows);
    for (long at = 0; at < length; at += piece) {
      if (!read(shards, pieces)) {
        return false;
      }
      code.decode(pieces, lost, found);
      for (int i = 0; i < lost.length; i++) {
        RandomAccessFile file = files.get(lost[i]);
        MessageDigest digest = digests.get(lost[i]);
        int count = (int) Math.max(0, Math.min(piece, members.get(lost[i]).bytes() - at));
        if (file != null && digest != null) {
          file.write(found[i], 0, count);
          digest.update(found[i], 0, count);
        }
      }
    }
    return true;
  }

  private boolean read(@Nullable StoredFile[] shards, byte[] @Nullable [] pieces)
      throws IOException {
    try {
      for (int i = 0; i < shards.length; i++) {
        StoredFile shard = shards[i];
        byte[] piece = pieces[i];
        if (shard != null && piece != null) {
          meter.add(shard.read(piece), 0);
        }
      }
      return true;
    } catch (IOException e) {
      requireDamage(e);
      return false;
    }
  }

  /** What is not damage of a file that was whole a moment ago ends the repair. */
  private static void requireDamage(IOException e) throws IOException {
    if (e instanceof BackupException || Medium.isDenied(e)) {
      throw e;
    }
  }
}
