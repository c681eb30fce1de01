package org.stellaops.backup.postgres;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.stellaops.backup.model.ArtifactName;

/**
 * A database in a logical backup: where its archive is, and how to make an empty one like it.
 *
 * @param traits {@code name}, {@code owner}, {@code encoding}, {@code collate}, {@code ctype},
 *     {@code provider} and {@code locale}
 */
record LogicalDatabase(ArtifactName artifact, Map<String, String> traits) {
  private static final String END = ".dump";

  private static final String DATABASES =
      """
      SELECT oid, datname AS name, pg_get_userbyid(datdba) AS owner,
             pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datctype AS ctype,
             datlocprovider::text AS provider,
             coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', '') AS locale
      FROM pg_database d
      WHERE datallowconn AND NOT datistemplate ORDER BY datname
      """;

  private static final List<String> TRAITS =
      List.of("name", "owner", "encoding", "collate", "ctype", "provider", "locale");

  LogicalDatabase {
    traits = new TreeMap<>(traits);
  }

  /** Those of a cluster that can be connected to and are no templates. */
  static List<LogicalDatabase> list(Connection sql) throws SQLException {
    List<LogicalDatabase> all = new ArrayList<>();
    try (Statement statement = sql.createStatement();
        ResultSet rows = statement.executeQuery(DATABASES)) {
      while (rows.next()) {
        Map<String, String> traits = new TreeMap<>();
        for (String trait : TRAITS) {
          traits.put(trait, rows.getString(trait));
        }
        all.add(new LogicalDatabase(artifact(rows.getString("name"), rows.getLong("oid")), traits));
      }
    }
    return all;
  }

  /** Those of a capture, by its properties. */
  static List<LogicalDatabase> read(Map<String, String> properties) {
    Map<String, Map<String, String>> byArtifact = new TreeMap<>();
    properties.forEach(
        (key, value) -> {
          int slash = key.indexOf('/');
          if (slash > 0 && key.substring(0, slash).endsWith(END)) {
            byArtifact
                .computeIfAbsent(key.substring(0, slash), artifact -> new TreeMap<>())
                .put(key.substring(slash + 1), value);
          }
        });
    return byArtifact.entrySet().stream()
        .filter(e -> e.getValue().keySet().containsAll(TRAITS))
        .map(e -> new LogicalDatabase(ArtifactName.of(e.getKey()), e.getValue()))
        .toList();
  }

  /** What a capture remembers: {@code app.dump/owner=app}. */
  Map<String, String> properties() {
    Map<String, String> properties = new TreeMap<>();
    traits.forEach((trait, value) -> properties.put(artifact + "/" + trait, value));
    return properties;
  }

  String name() {
    return trait("name");
  }

  /** The statement that makes an empty one like it under another name. */
  String creation(String otherName) {
    String locale = trait("locale");
    String provider =
        switch (trait("provider")) {
          case "i" -> " LOCALE_PROVIDER icu ICU_LOCALE " + literal(locale);
          case "b" -> " LOCALE_PROVIDER builtin BUILTIN_LOCALE " + literal(locale);
          default -> "";
        };
    return "CREATE DATABASE %s OWNER %s TEMPLATE template0 ENCODING %s LC_COLLATE %s LC_CTYPE %s%s"
        .formatted(
            identifier(otherName),
            identifier(trait("owner")),
            literal(trait("encoding")),
            literal(trait("collate")),
            literal(trait("ctype")),
            provider);
  }

  static String identifier(String name) {
    return '"' + name.replace("\"", "\"\"") + '"';
  }

  static String literal(String text) {
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'";
  }

  private String trait(String trait) {
    return traits.getOrDefault(trait, "");
  }

  /** A name that no artifact can have gives way to the oid; no other one holds a second point. */
  private static ArtifactName artifact(String name, long oid) {
    return ArtifactName.of((name.matches("[A-Za-z0-9_-]{1,100}") ? name : "oid." + oid) + END);
  }
}
