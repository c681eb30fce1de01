package org.stellaops.backup.mongo.internal.restore;

import com.mongodb.MongoException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.bson.RawBsonDocument;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RefusedInsert;
import org.stellaops.backup.mongo.internal.restore.Batch.Doubt;

/**
 * Sends a batch until each of its documents is there, or refused.
 *
 * <p>An answer that was lost says nothing: the same batch is sent again, and then a document that
 * the server calls a duplicate is fetched and compared. The same bytes are the document itself;
 * other bytes, or a duplicate in an index other than that on {@code _id}, are a refusal.
 */
final class Inserter {
  private static final int DUPLICATE_KEY = 11000;

  private final RawDatabase database;
  private final Retrying retrying;
  private final FailedDocuments failed;
  private final AtomicLong documents = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicLong found = new AtomicLong();

  Inserter(RawDatabase database, Retrying retrying, FailedDocuments failed) {
    this.database = database;
    this.retrying = retrying;
    this.failed = failed;
  }

  /** Documents that are there, whoever put them there. */
  long documents() {
    return documents.get();
  }

  long bytes() {
    return bytes.get();
  }

  /** Documents that were there already. */
  long found() {
    return found.get();
  }

  /** From any thread. */
  void insert(Batch batch) throws IOException {
    CollectionSpec spec = batch.of().spec();
    try {
      failed.tried(name(spec), batch.documents().size());
      long refused = new Sending(batch).send();
      if (refused == 0) {
        batch.of().arrived(batch, database, retrying);
      }
      documents.addAndGet(batch.documents().size() - refused);
      bytes.addAndGet(batch.bytes());
    } catch (MongoException e) {
      retrying.stopping().check(); // a stop closes the connection, and is then the reason
      throw DriverErrors.target(
          MongoFailure.INSERT_FAILED, "inserting into %s".formatted(name(spec)), e);
    }
  }

  private String name(CollectionSpec spec) {
    return database.name() + "." + spec.name();
  }

  /** One batch on its way. */
  private final class Sending {
    private final CollectionSpec spec;
    private List<RawBsonDocument> left;
    private Doubt doubt;
    private long refused;

    Sending(Batch batch) {
      this.spec = batch.of().spec();
      this.left = batch.documents();
      this.doubt = batch.doubt();
    }

    /** How many were refused. */
    long send() throws IOException {
      while (!left.isEmpty()) {
        retrying.call(this::attempt);
      }
      return refused;
    }

    private Doubt attempt(int number) throws IOException {
      retrying.stopping().check();
      if (number > 1) {
        doubt = spec.isCapped() ? Doubt.MOST : atLeastSome();
      }
      if (doubt == Doubt.MOST) {
        left = judged(left, Doubt.MOST);
      }
      if (!left.isEmpty()) {
        left = behind(database.insert(spec.dataName(), left, spec.isCapped(), spec.isValidated()));
      }
      return doubt;
    }

    private Doubt atLeastSome() {
      return doubt == Doubt.NONE ? Doubt.SOME : doubt;
    }

    /** Judges each error; what is left is what an ordered insert has not tried. */
    private List<RawBsonDocument> behind(List<RefusedInsert> errors) {
      if (errors.isEmpty()) {
        return List.of();
      }
      List<RawBsonDocument> duplicates = new ArrayList<>();
      for (RefusedInsert error : errors) {
        RawBsonDocument document = left.get(error.index());
        if (error.code() == DUPLICATE_KEY && doubt != Doubt.NONE) {
          duplicates.add(document);
        } else {
          refuse(document, "code " + error.code());
        }
      }
      judged(duplicates, Doubt.SOME);
      int last = errors.get(errors.size() - 1).index();
      return spec.isCapped() ? left.subList(last + 1, left.size()) : List.of();
    }

    /**
     * Compares documents with those of the same {@code _id} that are there, and refuses the ones
     * that differ.
     *
     * @return those that are not there, which is a refusal, too, if the server said they were
     */
    private List<RawBsonDocument> judged(List<RawBsonDocument> asked, Doubt why) {
      PresentDocuments present = PresentDocuments.of(database, spec.dataName(), asked);
      List<RawBsonDocument> absent = new ArrayList<>();
      for (RawBsonDocument document : asked) {
        switch (present.look(document)) {
          case SAME -> found.incrementAndGet();
          case OTHER -> refuse(document, "another document of this _id is there");
          case ABSENT -> {
            absent.add(document);
            if (why == Doubt.SOME) {
              refuse(document, "code " + DUPLICATE_KEY);
            }
          }
        }
      }
      return absent;
    }

    private void refuse(RawBsonDocument document, String why) {
      refused++;
      failed.add(name(spec), PresentDocuments.id(document), why);
    }
  }
}
