package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.internal.repository.LogView.Standing;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.WriterId;

class EntryCacheTest {
  private static final String LOG = "host-a";
  private static final int ENTRIES = 3;

  @TempDir Path workspace;

  private final MapStore store = new MapStore();
  private final TestSigner signer = new TestSigner();
  private final Trust trust = Trust.owner(new WriterId(LOG, signer.publicKey()));
  private Optional<Digest> newest = Optional.empty();

  @BeforeEach
  void someEntries() throws Exception {
    store.hasVersions = true;
    for (int seq = 1; seq <= ENTRIES; seq++) {
      write(seq, "test");
    }
  }

  private void write(long seq, String kind) throws Exception {
    byte[] entry = signer.entry(LOG, seq, newest, new Entry.Draft(kind).field("text", "a: b"));
    store.write(Names.entry(LOG, seq).value(), entry);
    newest = Optional.of(Digest.ofContent(entry));
  }

  private Path file() {
    return workspace.resolve("cache").resolve("repository").resolve("entries").resolve(LOG);
  }

  private EntryCache cache() {
    return EntryCache.in(Optional.of(file().getParent()), TestSigner.REPOSITORY);
  }

  private LogView read(Trust by, EntryCache cache) throws Exception {
    store.opened.clear();
    LogSlots slots =
        new LogSlots(store.access(), TestSigner.REPOSITORY, by, LOG, new SeenSignatures());
    LogReader reader = new LogReader(slots, cache);
    reader.parse();
    return reader.judged(slots.pinned());
  }

  private LogView read() throws Exception {
    return read(trust, cache());
  }

  private static List<Long> sequences(LogView view) {
    return view.entries().stream().map(s -> s.entry().sequence()).toList();
  }

  private static List<String> codes(LogView view) {
    return view.damage().stream().map(f -> f.code().code()).toList();
  }

  private static String name(long seq) {
    return Names.entry(LOG, seq).value();
  }

  private static List<Long> upTo(long last) {
    return LongStream.rangeClosed(1, last).boxed().toList();
  }

  @Test
  void an_entry_is_read_once_and_a_new_one_when_it_is_there() throws Exception {
    LogView cold = read();
    assertEquals(ENTRIES, store.opened.size());
    LogView warm = read();
    assertEquals(List.of(), store.opened);
    assertEquals(cold.head(), warm.head());
    assertEquals(cold.damage(), warm.damage());
    for (int i = 0; i < ENTRIES; i++) {
      Entry one = cold.entries().get(i).entry();
      Entry other = warm.entries().get(i).entry();
      assertEquals(one.digest(), other.digest());
      assertEquals(one.signed(), other.signed());
      assertEquals(one.publicKey(), other.publicKey());
      assertEquals(one.previous(), other.previous());
      assertEquals(List.of("a: b"), other.fields("text"));
    }
    write(ENTRIES + 1, "test");
    assertEquals(upTo(ENTRIES + 1), sequences(read()));
    assertEquals(List.of(name(ENTRIES + 1)), store.opened);
  }

  @Test
  void what_is_trusted_is_for_the_reader_to_say() throws Exception {
    assertTrue(read().entries().stream().allMatch(Standing::isTrusted));
    LogView ofNobody = read(Trust.nobody(), cache());
    assertEquals(List.of(), store.opened);
    assertEquals(upTo(ENTRIES), sequences(ofNobody));
    assertTrue(ofNobody.entries().stream().noneMatch(Standing::isTrusted));
    Trust other = Trust.owner(new WriterId(LOG, new TestSigner().publicKey()));
    assertEquals(List.of(), sequences(read(other, cache())));
  }

  @Test
  void an_entry_that_vanished_is_missed() throws Exception {
    read();
    store.objects.remove(ObjectName.of(name(2)));
    LogView view = read();
    assertEquals(List.of(1L, 3L), sequences(view));
    assertEquals(
        List.of(CoreFailure.CHAIN_BROKEN.code(), CoreFailure.CHAIN_BROKEN.code()), codes(view));
  }

  @Test
  void an_entry_that_was_replaced_is_read_again() throws Exception {
    read();
    byte[] entry = store.objects.get(ObjectName.of(name(2))).clone();
    entry[entry.length / 2] ^= 1;
    store.write(name(2), entry);
    LogView view = read();
    assertFalse(view.damage().isEmpty());
    assertEquals(List.of(name(2)), store.opened);
    assertEquals(view.damage(), read(trust, cache().unread()).damage());
  }

  @Test
  void a_store_that_does_not_say_what_changed_is_read_each_time() throws Exception {
    store.hasVersions = false;
    read();
    read();
    assertEquals(ENTRIES, store.opened.size());
    assertFalse(Files.exists(file()));
  }

  @Test
  void who_asks_for_the_store_gets_the_store() throws Exception {
    read();
    LogView view = read(trust, cache().unread());
    assertEquals(ENTRIES, store.opened.size());
    assertEquals(upTo(ENTRIES), sequences(view));
  }

  @Test
  void an_entry_that_cannot_be_understood_is_read_each_time() throws Exception {
    write(ENTRIES + 1, "snapshot");
    read();
    assertEquals(upTo(ENTRIES + 1), sequences(read()));
    assertEquals(List.of(name(ENTRIES + 1)), store.opened);
  }

  @Test
  void a_file_that_is_cut_off_or_changed_anywhere_is_not_believed() throws Exception {
    LogView whole = read();
    byte[] sound = Files.readAllBytes(file());
    for (int at = 0; at < sound.length; at += 41) {
      byte[] changed = sound.clone();
      changed[at] ^= 4;
      Files.write(file(), changed);
      assertReadAgain(whole, "changed at " + at);
      Files.write(file(), Arrays.copyOf(sound, at));
      assertReadAgain(whole, "cut off at " + at);
    }
    assertNotEquals(0, sound.length);
  }

  private void assertReadAgain(LogView whole, String what) throws Exception {
    LogView view = read();
    assertEquals(ENTRIES, store.opened.size(), what);
    assertEquals(sequences(whole), sequences(view), what);
    assertEquals(List.of(), view.damage(), what);
  }

  @Test
  void a_file_of_another_repository_or_log_is_not_believed() throws Exception {
    read();
    EntryCache other = EntryCache.in(Optional.of(file().getParent()), "another");
    assertTrue(other.of(LOG).isEmpty());
    Files.copy(file(), file().resolveSibling("host-b"));
    assertTrue(cache().of("host-b").isEmpty());
    assertEquals(ENTRIES, cache().of(LOG).size());
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void nobody_else_reads_it_and_nothing_else_is_left() throws Exception {
    read();
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file())));
    assertEquals(
        "rwx------",
        PosixFilePermissions.toString(Files.getPosixFilePermissions(file().getParent())));
    try (var files = Files.list(file().getParent())) {
      assertEquals(List.of(file()), files.toList());
    }
  }

  @Test
  void without_a_workspace_it_is_kept_while_somebody_holds_it() throws Exception {
    EntryCache memory = EntryCache.in(Optional.empty(), TestSigner.REPOSITORY);
    read(trust, memory);
    read(trust, memory);
    assertEquals(List.of(), store.opened);
  }
}
