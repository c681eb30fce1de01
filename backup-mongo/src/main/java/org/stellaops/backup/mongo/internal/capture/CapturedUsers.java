package org.stellaops.backup.mongo.internal.capture;

import com.mongodb.MongoException;
import com.mongodb.client.MongoCursor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.bson.ByteBuf;
import org.bson.RawBsonDocument;
import org.stellaops.backup.mongo.internal.archive.ArchiveWriter;
import org.stellaops.backup.mongo.internal.archive.CaptureMeta;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.archive.UserNamespaces;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;

/**
 * The users and roles of a database on their way into its archive, as {@code mongodump
 * --dumpDbUsersAndRoles} has them: documents of {@code admin} with what is kept of passwords. They
 * come first, as mongorestore wants them, and are of the time at which they are read, whatever
 * holds the collections together.
 */
final class CapturedUsers {
  private final RawDatabase database;
  private final boolean isWanted;

  CapturedUsers(RawDatabase database, boolean isWanted) {
    this.database = database;
    this.isWanted = isWanted;
  }

  /** Their names in the archive; none where they are not wanted. */
  List<String> namespaces() {
    return isWanted
        ? UserNamespaces.all().stream().map(UserNamespaces::ofDatabase).toList()
        : List.of();
  }

  /** Writes them, whether or not there are any. */
  List<CaptureMeta.Users> writeTo(ArchiveWriter writer) throws IOException {
    List<CaptureMeta.Users> written = new ArrayList<>();
    if (isWanted) {
      for (String collection : UserNamespaces.all()) {
        written.add(write(writer, collection));
      }
    }
    return written;
  }

  private CaptureMeta.Users write(ArchiveWriter writer, String collection) throws IOException {
    String name = UserNamespaces.ofDatabase(collection);
    Namespace namespace = new Namespace(database.name(), name);
    writer.begin(namespace);
    BsonDocument order = new BsonDocument("_id", new BsonInt32(1));
    try (MongoCursor<RawBsonDocument> found =
        database.sibling("admin").sorted(collection, filter(collection), order)) {
      while (found.hasNext()) {
        ByteBuf bytes = found.next().getByteBuffer();
        writer.document(namespace, bytes.array(), bytes.position(), bytes.remaining());
      }
    } catch (MongoException e) {
      throw DriverErrors.source(
          "reading admin.%s for users and roles of database %s, which the role backup may"
              .formatted(collection, database.name()),
          e);
    }
    return new CaptureMeta.Users(name, writer.end(namespace));
  }

  private BsonDocument filter(String collection) {
    return collection.equals(UserNamespaces.VERSION)
        ? new BsonDocument()
        : new BsonDocument("db", new BsonString(database.name()));
  }
}
