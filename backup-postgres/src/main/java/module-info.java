/** Physical and logical backups of PostgreSQL, their restore and its proof. */
module org.stellaops.backup.postgres {
  requires transitive org.stellaops.backup.core;
  requires static transitive org.jspecify;
  requires java.naming;
  requires java.sql;
  requires jdk.httpserver;
  requires org.postgresql.jdbc;

  exports org.stellaops.backup.postgres;

  // The driver makes our socket factories and our password source by their names.
  opens org.stellaops.backup.postgres.internal.wire to
      org.postgresql.jdbc;
}
