package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.PackLists;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.spi.WriterKeys;

/**
 * A writer's word, in its own log, that it found packs of its own damaged: what it stores from then
 * on refers to none of them.
 *
 * <p>Nobody else's word counts, and the word does nothing else: it hides no snapshot, releases and
 * deletes nothing. A false one costs the space of storing once more what is there.
 */
final class DamageWord {
  private static final Logger LOG = LoggerFactory.getLogger(DamageWord.class);
  private static final String KIND = "damage";
  private static final String FIELD = "damaged";

  /** Each takes less than 250 bytes of the 1 MiB that an entry may have. */
  private static final int MOST_NAMED = 4000;

  private DamageWord() {}

  /**
   * Says which of the writer's packs are among what was found, unless it has said so before. What
   * was found is true whether or not it can be written down.
   */
  static void tell(Context context, Repository repository, WriterKeys keys, List<Finding> damage)
      throws BackupException {
    String writer = keys.id().name();
    Set<ObjectRef> packs = new LinkedHashSet<>();
    for (Finding finding : damage) {
      pack(finding.subject()).filter(p -> p.writer().equals(writer)).ifPresent(packs::add);
    }
    try {
      while (!packs.isEmpty() && isMoreToTell(context, repository, keys, packs)) {
        LOG.info("log {} says which packs are damaged", writer);
      }
    } catch (BackupException.Stopped e) {
      throw e;
    } catch (IOException e) {
      LOG.warn("log {} does not say that packs are damaged: {}", writer, packs, e);
    }
  }

  private static Optional<ObjectRef> pack(String subject) {
    try {
      return Optional.of(ObjectRef.parse(subject)).filter(ObjectRef::isPack);
    } catch (BackupException e) {
      return Optional.empty();
    }
  }

  private static boolean isMoreToTell(
      Context context, Repository repository, WriterKeys keys, Set<ObjectRef> packs)
      throws IOException {
    AtomicBoolean isMore = new AtomicBoolean();
    repository.commit(
        keys.id().name(),
        keys,
        context.random(),
        now -> {
          DigestSet told = told(now);
          Entry.Draft draft = new Entry.Draft(KIND);
          List<ObjectRef> news = new ArrayList<>();
          for (ObjectRef pack : packs) {
            if (news.size() < MOST_NAMED && !told.contains(pack.stored())) {
              news.add(pack);
              draft.field(FIELD, pack.toString());
            }
          }
          isMore.set(news.size() == MOST_NAMED);
          return news.isEmpty() ? Optional.empty() : Optional.of(draft);
        });
    return isMore.get();
  }

  /** The packs that a writer said are damaged. */
  static DigestSet told(LogView log) throws IOException {
    DigestSet told = new DigestSet();
    for (LogView.Standing standing : log.entries()) {
      if (standing.isTrusted() && standing.entry().kind().equals(KIND)) {
        for (String field : standing.entry().fields(FIELD)) {
          Optional<ObjectRef> pack = pack(field);
          if (pack.isPresent()) {
            told.add(pack.get().stored());
          }
        }
      }
    }
    return told;
  }

  /** Whether a capture, or one that it builds on, needs one of these packs. */
  static boolean touches(StoreAccess store, LogView log, CaptureHeader capture, DigestSet damaged)
      throws IOException {
    Map<SnapshotId, SnapshotEntry> byId = SnapshotNeeds.read(log);
    Set<SnapshotId> reached = new HashSet<>(Set.of(capture.snapshot()));
    Deque<SnapshotId> waiting = new ArrayDeque<>(reached);
    while (!waiting.isEmpty()) {
      SnapshotEntry one = byId.get(waiting.remove());
      for (SnapshotEntry.Part part : one == null ? List.<SnapshotEntry.Part>of() : one.parts()) {
        if (part.header().source().equals(capture.source())) {
          if (names(store, part.lists(), damaged)) {
            return true;
          }
          part.header().parents().stream().filter(reached::add).forEach(waiting::add);
        }
      }
    }
    return false;
  }

  /** A list that cannot be read may name anything. */
  private static boolean names(StoreAccess store, List<ObjectRef> lists, DigestSet damaged)
      throws IOException {
    AtomicBoolean isNamed = new AtomicBoolean();
    try {
      for (ObjectRef list : lists) {
        PackLists.read(
            store, list, pack -> isNamed.compareAndSet(false, damaged.contains(pack.stored())));
      }
      return isNamed.get();
    } catch (BackupException.Corrupt e) {
      return true;
    }
  }
}
