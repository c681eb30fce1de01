/** MongoDB databases as mongodump archives, and their restore. */
module org.stellaops.backup.mongo {
  requires transitive org.stellaops.backup.core;
  requires static transitive org.jspecify;
  requires org.mongodb.bson;
  requires org.mongodb.driver.core;
  requires transitive org.mongodb.driver.sync.client; // MongoClient is in our factory methods
  requires org.slf4j;

  exports org.stellaops.backup.mongo;
}
