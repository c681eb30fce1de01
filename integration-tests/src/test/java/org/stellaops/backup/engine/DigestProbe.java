package org.stellaops.backup.engine;

import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.internal.disk.ScratchFolder;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RetentionEntry;
import org.stellaops.backup.internal.repository.RetentionLog;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.run.Workspace;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.StoreTraits;
import org.stellaops.backup.spi.StoredObject;
import org.stellaops.backup.spi.WriterKeys;

/**
 * Does what a run does when it begins, and what a check does, with as many packs, and as many
 * objects that retention let go of, as it is told, and prints what that took. A program of its own,
 * for a heap in which they would not fit.
 */
final class DigestProbe {
  static final int LOOKED_UP = 50_000;
  private static final String WRITER = "host-a";
  private static final int OF_A_LIST = 20_000;
  private static final int OF_A_PAGE = 1000;

  private DigestProbe() {}

  public static void main(String[] arguments) throws IOException {
    int packs = Integer.parseInt(arguments[1]);
    int doomed = Integer.parseInt(arguments[2]);
    Path directory = Files.createDirectories(Path.of(arguments[0], "digests-" + packs));
    Path workspace = Files.createDirectory(directory.resolve("workspace"));
    there(packs, ScratchFolder.in(workspace), workspace);
    added(packs, ScratchFolder.in(workspace));
    retention(directory, workspace, doomed);
    try (var left = Files.list(workspace)) {
      say("left", left.filter(f -> f.getFileName().toString().startsWith("scratch-")).count());
    }
  }

  /** The packs that a run finds when it begins. */
  private static void there(int packs, ScratchFolder folder, Path workspace) throws IOException {
    long before = heapBytes();
    long began = nanos();
    try (DigestSet set = new StoreAccess(new Listing(packs)).packsOf(WRITER, folder)) {
      say("list-millis", (nanos() - began) / 1_000_000);
      say("packs", set.size());
      say("packs-heap-bytes", heapBytes() - before);
      say("packs-disk-bytes", diskBytes(workspace));
      lookUp("packs", set, packs);
    }
  }

  /** Objects that a prune marks, or a check collects, some of them twice. */
  private static void added(int packs, ScratchFolder folder) throws IOException {
    try (DigestSet set = new DigestSet(folder)) {
      long began = nanos();
      int added = 0;
      for (int i = 0; i < packs; i++) {
        added += set.add(digest(i)) ? 1 : 0;
        if (i % 100 == 0) {
          added += set.add(digest(i / 2)) ? 1 : 0;
        }
      }
      say("add-nanos", (nanos() - began) / packs);
      say("added", added);
      lookUp("added", set, packs);
    }
  }

  /** What retention let go of, while it lets go of more. */
  private static void retention(Path directory, Path workspace, int doomed) throws IOException {
    WriterKeyFile file = WriterKeyFile.at(directory.resolve("janitor.key")).named("janitor");
    try (ObjectStore store =
            DirectorySink.at(directory.resolve("repository"))
                .open(new StoreContext(InstantSource.system(), Stopping.never()));
        WriterKeys keys = file.open()) {
      Repository repository =
          Repository.create(
              new StoreAccess(store),
              Trust.nobody(),
              Workspace.in(Optional.of(workspace)),
              InstantSource.system(),
              new Random(1));
      repository.markSink();
      keys.bindTo(repository.id());
      for (int first = 0; first < doomed - OF_A_LIST; first += OF_A_LIST) {
        doom(repository, keys, first);
      }
      long before = heapBytes();
      long began = nanos();
      DigestSet most = repository.retention().doomed(WRITER);
      say("doomed-millis", (nanos() - began) / 1_000_000);
      say("doomed-heap-bytes", heapBytes() - before);
      Digest last = digest(doomed - 1);
      say("doomed-too-early", most.contains(last) ? 1 : 0);
      doom(repository, keys, doomed - OF_A_LIST);
      RetentionLog more = repository.retention();
      began = nanos();
      say("doomed-later", more.doomed(WRITER).contains(last) ? 1 : 0);
      say("more-millis", (nanos() - began) / 1_000_000);
      lookUp("doomed", more.doomed(WRITER), doomed);
    }
  }

  private static void doom(Repository repository, WriterKeys keys, int first) throws IOException {
    Iterator<ObjectRef> objects =
        IntStream.range(first, first + OF_A_LIST).mapToObj(DigestProbe::pack).iterator();
    ObjectRef list = repository.store().putDoomed(() -> objects);
    RetentionEntry doom = new RetentionEntry.Doom(WRITER, Instant.EPOCH, list);
    repository.commit("retention", keys, new Random(first), now -> Optional.of(doom.draft()));
  }

  /** As many that are there and as many that are not. */
  private static void lookUp(String what, DigestSet set, int count) throws IOException {
    int[] numbers = new Random(7).ints(LOOKED_UP, 0, count).toArray();
    int found = 0;
    long began = nanos();
    for (int number : numbers) {
      found += set.contains(digest(number)) ? 1 : 0;
    }
    say(what + "-hit-nanos", (nanos() - began) / LOOKED_UP);
    began = nanos();
    for (int number : numbers) {
      found += set.contains(digest(-1 - number)) ? 1 : 0;
    }
    say(what + "-miss-nanos", (nanos() - began) / LOOKED_UP);
    say(what + "-found", found);
  }

  private static ObjectRef pack(int number) {
    try {
      return ObjectRef.parse(name(number));
    } catch (IOException e) {
      throw new AssertionError("that is the form of a pack's name", e);
    }
  }

  private static String name(int number) {
    String hex = digest(number).hex();
    return "w/" + WRITER + "/packs/" + hex.substring(0, 2) + "/" + hex + "-16777216.age";
  }

  /** Made up, and quicker than a digest of something. */
  private static Digest digest(int number) {
    StringBuilder hex = new StringBuilder(64);
    for (int word = 0; word < 4; word++) {
      hex.append(HexFormat.of().toHexDigits(mixed(4L * number + word)));
    }
    return Digest.parse(hex.toString());
  }

  /** The finalizer of MurmurHash3. */
  private static long mixed(long seed) {
    long z = (seed ^ (seed >>> 33)) * 0xff51afd7ed558ccdL;
    z = (z ^ (z >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return z ^ (z >>> 33);
  }

  /** Packs that are nowhere but in a listing. */
  private record Listing(int packs) implements ReadableStore {
    @Override
    public InputStream open(ObjectName name, ByteRange range) {
      throw new AssertionError("no run opens packs when it begins");
    }

    @Override
    public ObjectPage list(String prefix, PageToken from) {
      int first = from.equals(PageToken.START) ? 0 : Integer.parseInt(from.value());
      int end = Math.min(packs, first + OF_A_PAGE);
      List<StoredObject> page = new ArrayList<>();
      for (int i = first; i < end; i++) {
        page.add(new StoredObject(ObjectName.of(name(i)), 16777216, ""));
      }
      return new ObjectPage(page, end == packs ? PageToken.END : new PageToken("" + end));
    }

    @Override
    public StoreTraits traits() {
      return new StoreTraits(true, true, Long.MAX_VALUE, Map.of());
    }

    @Override
    public void close() {}
  }

  /** Of the processor: others may be busy, and files are in the page cache. */
  private static long nanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  /** What is in use, as far as a collector says so. */
  private static long heapBytes() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  /** Of the files without a name that this process has in a folder (proc(5)). */
  private static long diskBytes(Path folder) throws IOException {
    long bytes = 0;
    try (var descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path descriptor : descriptors) {
        if (Files.isRegularFile(descriptor)
            && Files.readSymbolicLink(descriptor).startsWith(folder.toRealPath())) {
          bytes += Files.size(descriptor);
        }
      }
    }
    return bytes;
  }

  private static void say(String what, long number) {
    System.out.println(what + " " + number);
  }
}
