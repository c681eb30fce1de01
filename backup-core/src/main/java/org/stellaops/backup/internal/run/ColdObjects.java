package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.PackLists;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.run.SnapshotClosure.Kind;
import org.stellaops.backup.internal.run.SnapshotClosure.Piece;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RetrievalStatus;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreAbility.Retrieval.State;

/**
 * Tells what of a restore lies in a cold tier, and asks for it. Logs and keys have to be readable:
 * without them nobody knows what there is. One thread.
 */
final class ColdObjects {
  private final StoreAbility.Retrieval store;
  private final RetrievalStates states;
  private final Repository repository;
  private final StopSignal stopping;
  private long readable;
  private long underWay;
  private long cold;
  private long missingBytes;
  private boolean isAllKnown = true;
  private boolean areManifestsReadable = true;
  private final Set<ObjectName> asked = new LinkedHashSet<>();

  /** Everything stays the caller's. */
  ColdObjects(StoreAbility.Retrieval store, Repository repository, StopSignal stopping) {
    this.store = store;
    this.states = new RetrievalStates(store);
    this.repository = repository;
    this.stopping = stopping;
  }

  /** What is to be done with an object that is cold. */
  @FunctionalInterface
  private interface Cold {
    void found(ObjectName name) throws IOException;
  }

  /** Looks; asks for nothing. */
  RetrievalStatus look(SnapshotList list, SnapshotList.Known snapshot, RestoreRequest request)
      throws IOException {
    return walk(list, snapshot, request, name -> cold++);
  }

  /**
   * Asks for what is cold. What cold lists name is asked for when these are readable.
   *
   * @param time so long it stays readable
   */
  RetrievalStatus request(
      SnapshotList list, SnapshotList.Known snapshot, RestoreRequest request, Duration time)
      throws IOException {
    return walk(
        list,
        snapshot,
        request,
        name -> {
          store.request(name, time);
          underWay++;
        });
  }

  /** Whether a plan can be made: manifests say what was captured. */
  boolean canBePlanned() {
    return areManifestsReadable;
  }

  private RetrievalStatus walk(
      SnapshotList list, SnapshotList.Known snapshot, RestoreRequest request, Cold found)
      throws IOException {
    Set<SourceName> sources = new LinkedHashSet<>();
    new Selection<CaptureHeader>(
            snapshot.summary().captures(), CaptureHeader::source, CaptureHeader::component)
        .of(request.only())
        .forEach(c -> sources.add(c.source()));
    SnapshotClosure closure = SnapshotClosure.ofSources(repository, list, snapshot, sources);
    for (Piece piece : closure.pieces()) {
      SnapshotEntry entry = piece.snapshot().entry();
      areManifestsReadable &= isReadable(entry.manifest(), found);
      for (SnapshotEntry.Part part : entry.parts()) {
        if (piece.sources().contains(part.header().source())) {
          for (ObjectRef packs : part.lists()) {
            walk(packs, found);
          }
        }
      }
    }
    if (request.point().isPresent()) {
      closure.streamsHeld(
          item -> {
            if (item.kind() == Kind.CONTENT) {
              isReadable(new ObjectRef(item.name(), item.stored(), item.lengthBytes()), found);
            }
          });
    }
    return new RetrievalStatus(readable, underWay, cold, missingBytes, isAllKnown);
  }

  private void walk(ObjectRef packs, Cold found) throws IOException {
    if (!isReadable(packs, found)) {
      isAllKnown = false;
      return;
    }
    List<ObjectRef> named = new ArrayList<>();
    PackLists.read(repository.store(), packs, named::add);
    for (ObjectRef pack : named) {
      isReadable(pack, found);
    }
  }

  private boolean isReadable(ObjectRef object, Cold found) throws IOException {
    stopping.check();
    State state = states.of(object.name());
    if (asked.add(object.name())) {
      if (state == State.READABLE) {
        readable++;
      } else {
        missingBytes += object.lengthBytes();
        if (state == State.COLD) {
          found.found(object.name());
        } else {
          underWay++;
        }
      }
    }
    return state == State.READABLE;
  }

  /** What stands in the way of a restore. */
  static Finding blocker(SnapshotList.Known snapshot, RetrievalStatus status) {
    return new Finding(
        CoreFailure.NOT_RETRIEVED,
        snapshot.summary().name().value(),
        "%d objects are in a cold tier and %d on their way from there, %d bytes%s"
            .formatted(
                status.cold(),
                status.underWay(),
                status.missingBytes(),
                status.isAllKnown() ? "" : ", and what these name on top"));
  }
}
