package org.stellaops.backup.mongo.internal.restore;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.bson.BsonTimestamp;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.MongoTarget.Existing;
import org.stellaops.backup.mongo.internal.archive.ArchiveReader;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.archive.Prelude;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker.Phase;
import org.stellaops.backup.mongo.internal.oplog.Definitions;
import org.stellaops.backup.mongo.internal.oplog.OplogReplay;
import org.stellaops.backup.mongo.internal.oplog.OplogTimes;
import org.stellaops.backup.mongo.internal.oplog.ReplayCounts;
import org.stellaops.backup.mongo.internal.oplog.ReplayJournal;
import org.stellaops.backup.mongo.internal.oplog.ReplaySettings;
import org.stellaops.backup.spi.RestoreSession;

/**
 * Replays an oplog over documents that were restored and compared, while no index stands but that
 * on {@code _id}: halfway through, documents may break a unique one. What has to be there in the
 * end is known only afterwards.
 */
final class Replaying {
  private final Replay replay;
  private final CapturedArchive archive;
  private final RestoreSession session;
  private final RestoreSettings settings;
  private final String database;
  private final String beside;

  /**
   * @param database name of the one that it goes to
   * @param beside prefix under which collections are filled; empty where they are filled in place
   */
  Replaying(
      Replay replay,
      CapturedArchive archive,
      RestoreSession session,
      RestoreSettings settings,
      String database,
      String beside) {
    this.replay = replay;
    this.archive = archive;
    this.session = session;
    this.settings = settings;
    this.database = database;
    this.beside = beside;
  }

  /** What becomes of an archive that passes, without a server. */
  final class Trial implements ArchiveReader.Visitor {
    private @Nullable Run run;

    @Override
    public void prelude(Prelude prelude) throws IOException {
      run = new Run(prelude, replay, s -> s);
    }

    @Override
    public void document(Prelude.Entry of, byte[] buffer, int offset, int length)
        throws IOException {
      session.stopping().check();
      run().take(of, buffer, offset, length);
    }

    /** Reads what was recorded, and says what there will be. */
    Placements end() throws IOException {
      return run().end();
    }

    private Run run() {
      if (run == null) {
        throw new IllegalStateException("no prelude has passed");
      }
      return run;
    }
  }

  /** What there is when everything up to a place was replayed, by an earlier attempt. */
  Placements after(BsonTimestamp written) throws IOException {
    Replaying bounded =
        new Replaying(replay.upTo(written), archive, session, settings, database, beside);
    Trial trial = bounded.new Trial();
    archive.read(trial);
    return trial.end();
  }

  /**
   * Replays.
   *
   * @param marker in the phase of replaying
   * @return what there is to be now, and the marker that says so
   */
  Replayed into(RawDatabase into, RestoreMarker marker) throws IOException {
    Retrying retrying = new Retrying(session.stopping());
    RestoreMarker.Replayed earlier = retrying.call(number -> RestoreMarker.replayed(into));
    Journal journal = new Journal(into, retrying, earlier, marker);
    Trial trial = new Trial();
    archive.read(
        new ArchiveReader.Visitor() {
          @Override
          public void prelude(Prelude prelude) throws IOException {
            trial.run = new Run(prelude, replay, into, s -> going(s, earlier, journal));
          }

          @Override
          public void document(Prelude.Entry of, byte[] buffer, int offset, int length)
              throws IOException {
            trial.document(of, buffer, offset, length);
          }
        });
    Placements placements = trial.end();
    tell(trial.run().counts());
    RestoreMarker last = journal.marker.in(Phase.INDEXING).creating(made(placements));
    retrying.call(
        number -> {
          last.putInto(into);
          return last;
        });
    return new Replayed(placements, last);
  }

  private void tell(ReplayCounts counts) {
    session.finding(
        new Finding(
            MongoFailure.OPLOG_REPLAYED,
            database,
            "%d entries up to %s were read; of them %d writes, %d commands and %d transactions are its"
                .formatted(
                    counts.entries(),
                    counts.last().map(OplogTimes::text).orElse("the capture's end"),
                    counts.writes(),
                    counts.commands(),
                    counts.transactions())));
  }

  /** Views of another restore's name are told where everything changes places. */
  private List<String> made(Placements placements) {
    return placements.all().stream()
        .map(Placement::load)
        .filter(s -> settings.existing() != Existing.SHADOW || !s.isView())
        .map(CollectionSpec::name)
        .toList();
  }

  private ReplaySettings going(
      ReplaySettings all, RestoreMarker.Replayed earlier, Journal journal) {
    ReplaySettings going =
        all.parallel(settings.parallelism(), session.executor())
            .resumeAfter(earlier.written())
            .journal(journal);
    return earlier.writing().compareTo(all.tolerantUntil()) > 0
        ? going.tolerantUntil(earlier.writing())
        : going;
  }

  /**
   * What it came to.
   *
   * @param placements of everything that is there now
   */
  record Replayed(Placements placements, RestoreMarker marker) {}

  /** How a replay is set up. */
  @FunctionalInterface
  private interface Setting {
    ReplaySettings of(ReplaySettings all);
  }

  /** One replay, of the archive's entries and then of those that were recorded. */
  private final class Run {
    private final Replay upTo;
    private final String archived;
    private final OplogReplay entries;
    private @Nullable ReplayCounts counts;

    Run(Prelude prelude, Replay upTo, Setting setting) throws IOException {
      this(prelude, upTo, null, setting);
    }

    Run(Prelude prelude, Replay upTo, @Nullable RawDatabase into, Setting setting)
        throws IOException {
      this.upTo = upTo;
      this.archived = archive.databaseOf(prelude);
      Definitions definitions = Definitions.of(archived, archive.collections(prelude));
      PlacedOplog selection = new PlacedOplog(archived, database, settings, beside);
      ReplaySettings all = setting.of(upTo.settings(selection));
      this.entries =
          into == null
              ? OplogReplay.dry(definitions, all)
              : new OplogReplay(into.client(), definitions, all);
    }

    void take(Prelude.Entry of, byte[] buffer, int offset, int length) throws IOException {
      if (of.namespace().equals(Namespace.OPLOG)) {
        try {
          entries.brought(buffer, offset, length);
        } catch (UncheckedIOException e) {
          throw e.getCause();
        }
      }
    }

    Placements end() throws IOException {
      try {
        counts = upTo.plan().run(entries, session.stopping());
      } catch (UncheckedIOException e) {
        throw e.getCause();
      }
      return Placements.of(
          entries.definitions().collections(archived), archived, database, settings, beside);
    }

    ReplayCounts counts() {
      if (counts == null) {
        throw new IllegalStateException("the replay has not ended");
      }
      return counts;
    }
  }

  /** Writes down how far it is, beside the marker. */
  private static final class Journal implements ReplayJournal {
    private final RawDatabase into;
    private final Retrying retrying;
    private RestoreMarker marker;
    private BsonTimestamp written;
    private BsonTimestamp writing;

    Journal(
        RawDatabase into, Retrying retrying, RestoreMarker.Replayed earlier, RestoreMarker marker) {
      this.into = into;
      this.retrying = retrying;
      this.marker = marker;
      this.written = earlier.written();
      this.writing = earlier.writing();
    }

    @Override
    public void writing(BsonTimestamp upTo) throws IOException {
      if (upTo.compareTo(writing) > 0) {
        writing = upTo;
        note();
      }
    }

    @Override
    public void written(BsonTimestamp upTo) throws IOException {
      if (upTo.compareTo(written) > 0) {
        written = upTo;
        note();
      }
    }

    private void note() throws IOException {
      RestoreMarker.Replayed now = new RestoreMarker.Replayed(written, writing);
      retrying.call(
          number -> {
            RestoreMarker.replayed(into, now);
            return now;
          });
    }

    /** Noted before it is there, so that it can be taken back. */
    @Override
    public void creating(Namespace target) throws IOException {
      RestoreMarker more = marker.creating(List.of(target.collection()));
      if (!more.equals(marker)) {
        marker =
            retrying.call(
                number -> {
                  more.putInto(into);
                  return more;
                });
      }
    }
  }
}
