package org.stellaops.backup.mongo.internal.oplog;

import java.util.Set;

/** Names of the commands that stand in an oplog (mongo, oplog_entry.idl and oplog.cpp). */
final class Commands {
  static final String APPLY_OPS = "applyOps";
  static final String COMMIT = "commitTransaction";
  static final String ABORT = "abortTransaction";
  static final String RENAME = "renameCollection";
  static final String DROP_DATABASE = "dropDatabase";

  /** Those that name one collection and change it. */
  static final Set<String> OF_A_COLLECTION =
      Set.of(
          "create",
          "drop",
          "createIndexes",
          "commitIndexBuild",
          "dropIndexes",
          "deleteIndexes",
          "dropIndex",
          "deleteIndex",
          "collMod");

  /** Those that change no document and no definition. */
  static final Set<String> WITHOUT_EFFECT =
      Set.of("startIndexBuild", "abortIndexBuild", "dropIdent", "setMultikeyMetadata", "dbCheck");

  private Commands() {}
}
