package org.stellaops.backup.postgres;

import static org.stellaops.backup.postgres.internal.increment.IncrementalHeader.BLOCK_BYTES;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.stellaops.backup.postgres.internal.increment.IncrementalPath;

/**
 * Files of relations as a server changes them, and as it would send them: whole, or what changed
 * since the backup before. What files hold is known, so that a restore can be compared with it.
 */
final class ModelledCluster {
  /** The tablespace that comes and goes. */
  static final String SPACE = "16400";

  private static final String BASE_PREFIX = "base/5/";
  private static final String SPACE_PREFIX = "PG_17_202406281/5/";
  private static final int MAX_BLOCKS = 40;

  private final Random random;
  private final Map<String, Relation> relations = new TreeMap<>();
  private boolean hasSpace;
  private int nextNumber = 16384;
  private int backups;

  ModelledCluster(long seed) {
    this.random = new Random(seed);
    for (int i = 0; i < 5; i++) {
      create();
    }
  }

  /** Some changes of all kinds. */
  void change() {
    for (int i = random.nextInt(12); i >= 0; i--) {
      switch (random.nextInt(9)) {
        case 0 -> create();
        case 1 -> drop();
        case 2 -> toggleSpace();
        case 3 -> any().truncate(random);
        case 4 -> any().extendWithoutLog(random);
        case 5, 6 -> any().extend(random);
        default -> any().overwrite(random);
      }
    }
  }

  /** What a server would send now; the model forgets what changed. */
  SyntheticBackup backUp(boolean isIncrement) {
    backups++;
    SyntheticBackup backup =
        SyntheticBackup.cluster(backups + 1, isIncrement ? Integer.valueOf(backups) : null);
    if (hasSpace) {
      backup.emptyTablespace(SPACE, "/was/there");
    }
    relations.forEach(
        (path, relation) -> {
          String archive = path.startsWith(BASE_PREFIX) ? "base.tar" : SPACE + ".tar";
          boolean isWhole = !isIncrement || relation.isNew || random.nextInt(6) == 0;
          byte[] content = isWhole ? relation.content() : relation.changed(random);
          backup.file(archive, isWhole ? path : changed(archive, path), content);
          relation.sent();
        });
    return backup;
  }

  /** All files of relations by path in the data directory. */
  Map<String, byte[]> contents() {
    Map<String, byte[]> contents = new TreeMap<>();
    relations.forEach(
        (path, relation) ->
            contents.put(
                path.startsWith(BASE_PREFIX) ? path : "pg_tblspc/" + SPACE + "/" + path,
                relation.content()));
    return contents;
  }

  private static String changed(String archive, String path) {
    String below = archive.equals("base.tar") ? "" : "pg_tblspc/" + SPACE + "/";
    return IncrementalPath.changed(below + path).substring(below.length());
  }

  private Relation any() {
    if (relations.isEmpty()) {
      create();
    }
    return new ArrayList<>(relations.values()).get(random.nextInt(relations.size()));
  }

  private void create() {
    Relation relation = new Relation();
    relation.extend(random);
    String prefix = hasSpace && random.nextBoolean() ? SPACE_PREFIX : BASE_PREFIX;
    relations.put(prefix + nextNumber++, relation);
  }

  private void drop() {
    if (!relations.isEmpty()) {
      List<String> paths = new ArrayList<>(relations.keySet());
      relations.remove(paths.get(random.nextInt(paths.size())));
    }
  }

  private void toggleSpace() {
    hasSpace = !hasSpace;
    relations.keySet().removeIf(path -> path.startsWith(SPACE_PREFIX));
  }

  /** One file; of what changed since it was sent the server knows blocks and the least length. */
  private static final class Relation {
    private final List<byte[]> blocks = new ArrayList<>();
    private final BitSet logged = new BitSet();
    private int leastBlocks = Integer.MAX_VALUE;
    private boolean isNew = true;

    void extend(Random random) {
      for (int i = random.nextInt(8); i >= 0 && blocks.size() < MAX_BLOCKS; i--) {
        logged.set(blocks.size());
        blocks.add(page(random));
      }
    }

    void extendWithoutLog(Random random) {
      for (int i = random.nextInt(4); i >= 0 && blocks.size() < MAX_BLOCKS; i--) {
        blocks.add(new byte[BLOCK_BYTES]);
      }
    }

    void overwrite(Random random) {
      for (int i = random.nextInt(3); i >= 0 && !blocks.isEmpty(); i--) {
        int block = random.nextInt(blocks.size());
        logged.set(block);
        blocks.set(block, page(random));
      }
    }

    void truncate(Random random) {
      int length = random.nextInt(blocks.size() + 1);
      blocks.subList(length, blocks.size()).clear();
      logged.clear(length, MAX_BLOCKS);
      leastBlocks = Math.min(leastBlocks, length);
    }

    void sent() {
      logged.clear();
      leastBlocks = Integer.MAX_VALUE;
      isNew = false;
    }

    byte[] content() {
      ByteArrayOutputStream content = new ByteArrayOutputStream();
      blocks.forEach(content::writeBytes);
      return content.toByteArray();
    }

    byte[] changed(Random random) {
      BitSet sent = (BitSet) logged.clone();
      if (!blocks.isEmpty() && random.nextBoolean()) {
        sent.set(random.nextInt(blocks.size()));
      }
      if (leastBlocks < blocks.size()) {
        // The form has no other way to say how long a file is that was cut and grew again.
        sent.set(blocks.size() - 1);
      }
      int count = sent.cardinality();
      int headerBytes = 12 + 4 * count;
      int paddedBytes =
          count == 0 ? headerBytes : (headerBytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
      ByteBuffer file =
          ByteBuffer.allocate(paddedBytes + count * BLOCK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
      file.putInt(0xd3ae1f0d).putInt(count).putInt(truncationBlocks(random));
      sent.stream().forEach(file::putInt);
      file.position(paddedBytes);
      sent.stream().forEach(block -> file.put(blocks.get(block)));
      return file.array();
    }

    /** Servers say their length, where all that grew again was logged. */
    private int truncationBlocks(Random random) {
      boolean isAllLogged =
          leastBlocks >= blocks.size() || logged.nextClearBit(leastBlocks) >= blocks.size();
      return isAllLogged && random.nextBoolean()
          ? blocks.size()
          : Math.min(blocks.size(), leastBlocks);
    }

    private static byte[] page(Random random) {
      byte[] page = new byte[BLOCK_BYTES];
      random.nextBytes(page);
      return page;
    }
  }
}
