package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.WriterId;

class RepositoryTest {
  private static final String LOG = "host-a";

  private final MapStore store = new MapStore();
  private final TestSigner signer = new TestSigner();
  private final Heads heads = new Heads();

  /** What was seen, in a map. */
  private static final class Heads implements HeadMemory {
    private final Map<String, Head> seen = new HashMap<>();

    @Override
    public Optional<Head> recall(String repository, String log) {
      return Optional.ofNullable(seen.get(log));
    }

    @Override
    public Set<String> logs(String repository) {
      return seen.keySet();
    }

    @Override
    public void remember(String repository, String log, Head head) {
      seen.put(log, head);
    }
  }

  private Repository open() throws Exception {
    store.write(
        "repository.json",
        "{\"format\":1,\"repository\":\"%s\"}"
            .formatted(TestSigner.REPOSITORY)
            .getBytes(StandardCharsets.UTF_8));
    Trust trust = Trust.owner(new WriterId(LOG, signer.publicKey()));
    return Repository.open(store.access(), trust, heads, InstantSource.system()).orElseThrow();
  }

  private Head write(long sequence, Optional<Head> previous) throws Exception {
    byte[] entry = signer.entry(LOG, sequence, previous.map(Head::digest), new Entry.Draft("test"));
    store.write(Names.entry(LOG, sequence).value(), entry);
    return new Head(sequence, Digest.ofContent(entry));
  }

  private static List<String> codes(LogView view) {
    return view.damage().stream().map(Finding::code).map(c -> c.code()).toList();
  }

  @Test
  void a_head_that_was_seen_and_is_gone_is_a_step_backwards() throws Exception {
    Repository repository = open();
    Head first = write(1, Optional.empty());
    write(2, Optional.of(first));
    assertEquals(List.of(), codes(repository.log(LOG)));
    store.objects.remove(ObjectName.of(Names.entry(LOG, 2).value()));
    LogView view = repository.log(LOG);
    assertEquals(List.of(CoreFailure.WENT_BACKWARDS.code()), codes(view));
    assertTrue(!view.isHeadSound());
  }

  @Test
  void what_another_thread_commits_while_the_log_is_read_is_no_step_backwards() throws Exception {
    Repository repository = open();
    Head first = write(1, Optional.empty());
    store.meanwhile =
        () -> {
          try {
            heads.remember(TestSigner.REPOSITORY, LOG, write(2, Optional.of(first)));
          } catch (Exception e) {
            throw new AssertionError(e);
          }
        };
    LogView view = repository.log(LOG);
    assertEquals(List.of(), codes(view));
    assertTrue(view.isHeadSound());
    assertEquals(List.of(), codes(repository.log(LOG)));
  }

  private void mark(String role) {
    store.write(
        "sink.json",
        "{\"repository\":\"%s\",\"role\":\"%s\",\"label\":\"site-b\"}"
            .formatted(TestSigner.REPOSITORY, role)
            .getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void a_copy_may_lack_what_was_seen_in_the_primary_but_holds_nothing_else() throws Exception {
    Head first = write(1, Optional.empty());
    Head second = write(2, Optional.of(first));
    assertEquals(List.of(), codes(open().log(LOG)));
    mark("copy");
    store.objects.remove(ObjectName.of(Names.entry(LOG, 2).value()));
    Repository copy = open();
    assertEquals(StoreRole.COPY, copy.role());
    assertEquals("site-b", copy.label());
    assertEquals(List.of(), codes(copy.log(LOG)));
    assertEquals(second, heads.recall(TestSigner.REPOSITORY, LOG).orElseThrow(), "still known");
    assertEquals(false, copy.wasKnown(LOG), "it proves nothing of how new the copy is");
    store.write(
        Names.entry(LOG, 2).value(),
        signer.entry(LOG, 2, Optional.of(first.digest()), new Entry.Draft("other")));
    assertEquals(List.of(CoreFailure.WENT_BACKWARDS.code()), codes(copy.log(LOG)));
  }

  @Test
  void nothing_is_committed_to_a_copy() throws Exception {
    for (String role : List.of("copy", "bundle")) {
      mark(role);
      Repository copy = open();
      var refused = assertThrows(BackupException.Refused.class, copy::requirePrimary);
      assertEquals(CoreFailure.NOT_PRIMARY, refused.code());
      assertThrows(BackupException.Refused.class, copy::markSink);
    }
    mark("primary");
    open().requirePrimary();
  }
}
