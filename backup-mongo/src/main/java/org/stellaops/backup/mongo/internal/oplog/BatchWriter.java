package org.stellaops.backup.mongo.internal.oplog;

import com.mongodb.MongoBulkWriteException;
import com.mongodb.MongoException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.oplog.ReplayBatch.Pending;
import org.stellaops.backup.mongo.internal.oplog.ReplayServer.Change;

/** Puts what a batch makes of documents into a server, parts of it at once. */
final class BatchWriter {
  /** Documents that are fetched, or sent, together; of 16 MiB at most. */
  private static final int TOGETHER = 100;

  private final ReplayServer server;
  private final ReplaySettings settings;

  BatchWriter(ReplayServer server, ReplaySettings settings) {
    this.server = server;
    this.settings = settings;
  }

  /** Writes, and waits for all of it. Returns how many documents were not there. */
  long write(ReplayBatch batch, Definitions definitions) throws IOException {
    List<FutureTask<Long>> tasks = new ArrayList<>();
    for (List<Pending> part : batch.parts(settings.threads(), definitions)) {
      tasks.add(new FutureTask<>(() -> write(part)));
    }
    tasks.stream().skip(1).forEach(settings.executor()::execute);
    tasks.stream().limit(1).forEach(FutureTask::run);
    long missing = 0;
    Throwable failure = null;
    for (FutureTask<Long> task : tasks) {
      try {
        missing += result(task);
      } catch (IOException | RuntimeException | Error e) {
        failure = failure == null ? e : failure;
      }
    }
    rethrow(failure);
    return missing;
  }

  /** All tasks have to have ended before the first failure may be told. */
  private static long result(FutureTask<Long> task) throws IOException {
    boolean wasInterrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          wasInterrupted = true;
        }
      }
    } catch (ExecutionException e) {
      rethrow(e.getCause());
      throw new AssertionError("a task that failed has a cause", e);
    } catch (CancellationException e) {
      throw new AssertionError("nobody cancels it", e);
    } finally {
      if (wasInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static void rethrow(@Nullable Throwable failure) throws IOException {
    if (failure instanceof IOException e) {
      throw e;
    }
    if (failure instanceof RuntimeException e) {
      throw e;
    }
    if (failure instanceof Error e) {
      throw e;
    }
  }

  private long write(List<Pending> part) throws IOException {
    long missing = 0;
    for (int from = 0; from < part.size(); from += TOGETHER) {
      List<Pending> some = part.subList(from, Math.min(part.size(), from + TOGETHER));
      Namespace namespace = some.get(0).namespace;
      fetch(namespace, some);
      List<Change> changes = some.stream().map(Pending::change).toList();
      send(namespace, changes);
      missing += some.stream().filter(Pending::isMissing).count();
    }
    return missing;
  }

  private void fetch(Namespace namespace, List<Pending> some) throws IOException {
    List<Pending> unknown = some.stream().filter(Pending::isFetched).toList();
    if (!unknown.isEmpty()) {
      Map<RawDocument, RawDocument> found = fetched(namespace, unknown);
      for (Pending pending : unknown) {
        complete(pending, found.get(pending.id));
      }
    }
    for (Pending pending : some) {
      try {
        pending.requireThere(settings.tolerantUntil());
      } catch (OplogException e) {
        throw e.whileReplaying();
      }
    }
  }

  private Map<RawDocument, RawDocument> fetched(Namespace namespace, List<Pending> unknown)
      throws IOException {
    try {
      return server.fetch(namespace, unknown.stream().map(p -> p.id).toList());
    } catch (MongoException e) {
      Pending first = unknown.get(0);
      throw DriverErrors.target(
          CoreFailure.TARGET_FAILED,
          "replay entry %s of the oplog, fetch %s from %s"
              .formatted(OplogTimes.text(first.ts()), Ids.text(first.id), namespace),
          e);
    }
  }

  private static void complete(Pending pending, @Nullable RawDocument stored) throws IOException {
    try {
      pending.found(stored);
    } catch (IllegalArgumentException e) {
      throw new BackupException.Target(
          MongoFailure.OPLOG_MALFORMED,
          "replay entry %s of the oplog, update %s in %s: %s"
              .formatted(
                  OplogTimes.text(pending.ts()),
                  Ids.text(pending.id),
                  pending.namespace,
                  e.getMessage()),
          e);
    }
  }

  private void send(Namespace namespace, List<Change> changes) throws IOException {
    try {
      server.write(namespace, changes);
    } catch (MongoBulkWriteException e) {
      boolean isOne = !e.getWriteErrors().isEmpty();
      Change failed = changes.get(isOne ? e.getWriteErrors().get(0).getIndex() : 0);
      String said =
          isOne
              ? "server said %d: %s"
                  .formatted(
                      e.getWriteErrors().get(0).getCode(), e.getWriteErrors().get(0).getMessage())
              : DriverErrors.describe(e);
      throw new BackupException.Target(
          MongoFailure.REPLAY_FAILED, what(namespace, failed) + ": " + said, e);
    } catch (MongoException e) {
      throw DriverErrors.target(CoreFailure.TARGET_FAILED, what(namespace, changes.get(0)), e);
    }
  }

  private static String what(Namespace namespace, Change change) {
    return "replay entry %s of the oplog, %s %s in %s"
        .formatted(
            OplogTimes.text(change.ts()),
            change.document().isPresent() ? "write" : "delete",
            Ids.text(change.id()),
            namespace);
  }
}
