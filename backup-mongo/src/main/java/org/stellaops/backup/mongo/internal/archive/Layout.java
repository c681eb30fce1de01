package org.stellaops.backup.mongo.internal.archive;

import org.stellaops.backup.model.ArtifactName;

/** What a captured database consists of: two artifacts, and properties that say which is which. */
public final class Layout {
  /** Format of both. */
  public static final String KIND = "mongo-archive/1";

  /** See {@link CaptureMeta}. Absent where an archive of mongodump's was taken over. */
  public static final ArtifactName META = ArtifactName.of("mongo-meta.bson");

  /** Name of the archive among the artifacts. */
  public static final String ARCHIVE_PROPERTY = "archive";

  /** Name of the database, which need not be one that an artifact can have. */
  public static final String DATABASE_PROPERTY = "database";

  private Layout() {}

  /** {@code issuers.archive}, or {@code database.archive} where a database has an unusual name. */
  public static ArtifactName archiveOf(String database) {
    try {
      return ArtifactName.of(database + ".archive");
    } catch (IllegalArgumentException e) {
      return ArtifactName.of("database.archive");
    }
  }
}
