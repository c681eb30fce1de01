/** Physical backups of PostgreSQL and their restore. */
module org.stellaops.backup.postgres {
  requires transitive org.stellaops.backup.core;
  requires static transitive org.jspecify;
  requires java.sql;
  requires org.postgresql.jdbc;
}
