package org.stellaops.backup.mongo.internal.restore;

import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.RawBsonDocument;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.ArchiveReader;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.archive.Prelude;
import org.stellaops.backup.mongo.internal.archive.UserNamespaces;
import org.stellaops.backup.spi.Stopping;

/** The users and roles of one database, out of an archive that passes. */
final class ArchivedUsers implements ArchiveReader.Visitor {
  private static final int MAX_BYTES = 64 << 20;

  private final CapturedArchive archive;
  private final String database;
  private final Stopping stopping;
  private final Map<String, BsonDocument> users = new LinkedHashMap<>();
  private final Map<String, BsonDocument> roles = new LinkedHashMap<>();
  private UserRenaming renaming = new UserRenaming("", "");
  private long bytes;

  /**
   * @param database that they become users and roles of
   */
  ArchivedUsers(CapturedArchive archive, String database, Stopping stopping) {
    this.archive = archive;
    this.database = database;
    this.stopping = stopping;
  }

  /** By {@code _id}, as they are to be. */
  Map<String, BsonDocument> of(UserKind kind) {
    return kind == UserKind.USER ? users : roles;
  }

  @Override
  public void prelude(Prelude prelude) throws IOException {
    renaming = new UserRenaming(archive.databaseOf(prelude), database);
    boolean hasUsers =
        prelude.entries().stream()
            .anyMatch(e -> UserNamespaces.is(e.namespace(), UserNamespaces.USERS));
    if (!hasUsers) {
      throw new BackupException.Target(
          MongoFailure.NOT_RESTORABLE,
          "users and roles are to be restored, and the archive has none"
              + "; hint: they are captured with MongoSource.usersAndRoles()");
    }
  }

  @Override
  public void document(Prelude.Entry of, byte[] buffer, int offset, int length) throws IOException {
    stopping.check();
    for (UserKind kind : UserKind.values()) {
      if (UserNamespaces.is(of.namespace(), kind.collection())) {
        add(kind, of.namespace(), Arrays.copyOfRange(buffer, offset, offset + length));
      }
    }
  }

  /** An archive of a whole server has those of all its databases. */
  private void add(UserKind kind, Namespace namespace, byte[] document)
      throws BackupException.Target {
    bytes += document.length;
    if (bytes > MAX_BYTES) {
      throw new BackupException.Target(
          MongoFailure.NOT_RESTORABLE,
          "users and roles of an archive take more than %d bytes".formatted(MAX_BYTES));
    }
    BsonDocument decoded = new RawBsonDocument(document);
    if (!(decoded.get("db") instanceof BsonString db)
        || !(decoded.get(kind.field()) instanceof BsonString)) {
      throw new BackupException.Target(
          MongoFailure.NOT_RESTORABLE,
          "%s holds a document that is no %s".formatted(namespace, kind.field()));
    }
    if (db.getValue().equals(renaming.archived())) {
      BsonDocument renamed = renaming.rename(decoded, kind.field());
      of(kind).put(renamed.getString("_id").getValue(), renamed);
    }
  }
}
