package org.stellaops.backup.postgres.internal.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a restored cluster must not do while it is looked at, whatever its own configuration says:
 * talk to the network, archive, wait for or follow another server, apply what a publisher sends.
 */
final class ServerSettings {
  /** Part of the socket's name only; nothing listens on it. */
  static final int PORT = 5432;

  private static final Map<String, String> ALWAYS =
      Map.ofEntries(
          Map.entry("listen_addresses", ""),
          Map.entry("port", Integer.toString(PORT)),
          Map.entry("unix_socket_permissions", "0700"),
          Map.entry("unix_socket_group", ""),
          Map.entry("ssl", "off"),
          Map.entry("external_pid_file", ""),
          Map.entry("archive_mode", "off"),
          Map.entry("archive_command", ""),
          Map.entry("synchronous_standby_names", ""),
          Map.entry("primary_conninfo", ""),
          Map.entry("primary_slot_name", ""),
          Map.entry("hot_standby", "on"),
          // A subscription would take from its publisher what the live cluster is to get.
          Map.entry("max_logical_replication_workers", "0"),
          Map.entry("autovacuum", "off"),
          Map.entry("restart_after_crash", "off"),
          Map.entry("logging_collector", "off"),
          Map.entry("log_destination", "stderr"),
          Map.entry("log_min_messages", "warning"),
          Map.entry("log_statement", "none"),
          Map.entry("log_line_prefix", ""),
          Map.entry("lc_messages", "C"));

  private ServerSettings() {}

  /**
   * Arguments of {@code postgres} for one start.
   *
   * @param place a private directory, which gets the files that replace the cluster's own
   */
  static List<String> arguments(Path data, Path place) throws IOException {
    Map<String, String> settings = new LinkedHashMap<>(ALWAYS);
    settings.put("unix_socket_directories", place.toString());
    settings.put("hba_file", write(place, "pg_hba.conf", "local all all trust\n"));
    settings.put("ident_file", write(place, "pg_ident.conf", ""));
    if (!Files.exists(data.resolve("postgresql.conf"))) {
      settings.put("config_file", write(place, "postgresql.conf", ""));
    }
    List<String> arguments = new ArrayList<>(List.of("-D", data.toString()));
    settings.forEach((name, value) -> arguments.addAll(List.of("-c", name + "=" + value)));
    return arguments;
  }

  private static String write(Path place, String name, String text) throws IOException {
    Path file = place.resolve(name);
    Files.writeString(file, text);
    return file.toString();
  }
}
