package org.stellaops.backup.postgres;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.SourceDescription;

/** A base backup as a server could have sent it, or as no server would. */
final class SyntheticBackup implements BackupSource {
  private final Map<String, List<Member>> archives = new LinkedHashMap<>();
  private final Map<String, byte[]> declared = new LinkedHashMap<>();
  private final Map<String, String> tablespaces = new LinkedHashMap<>();
  private String system = "7400000000000000001";
  private Charset names = StandardCharsets.UTF_8;

  /** A small cluster. */
  static SyntheticBackup cluster() {
    return new SyntheticBackup()
        .directory("base.tar", "global")
        .directory("base.tar", "pg_tblspc")
        .directory("base.tar", "pg_wal")
        .file("base.tar", "PG_VERSION", "17\n")
        .file("base.tar", "global/pg_control", "control")
        .file("base.tar", "backup_label", "START WAL LOCATION");
  }

  /** A small cluster whose backup begins in a WAL segment; an increment if {@code since} is one. */
  static SyntheticBackup cluster(int start, @Nullable Integer since) {
    String label =
        "START WAL LOCATION: %s (file %024X)\nSTART TIMELINE: 1\n".formatted(lsn(start), start);
    if (since != null) {
      label += "INCREMENTAL FROM LSN: %s\nINCREMENTAL FROM TLI: 1\n".formatted(lsn(since));
    }
    return new SyntheticBackup()
        .directory("base.tar", "base/5")
        .directory("base.tar", "pg_tblspc")
        .directory("base.tar", "pg_wal")
        .file("base.tar", "PG_VERSION", "17\n")
        .file("base.tar", "backup_label", label);
  }

  private static String lsn(int segment) {
    return "0/%X000028".formatted(segment);
  }

  /** The system identifier that the manifest tells. */
  SyntheticBackup ofSystem(String identifier) {
    system = identifier;
    return this;
  }

  /** Whose archives have their names in another encoding. */
  SyntheticBackup namedIn(Charset encoding) {
    names = encoding;
    return this;
  }

  /** A file that is there and declared. */
  SyntheticBackup file(String archive, String path, byte[] content) {
    archives
        .computeIfAbsent(archive, name -> new ArrayList<>())
        .add(new Member(path, TarConstants.LF_NORMAL, content));
    String below = archive.equals("base.tar") ? "" : "pg_tblspc/" + archive.replace(".tar", "/");
    declared.put(below + path, content);
    return this;
  }

  /** A tablespace without files. */
  SyntheticBackup emptyTablespace(String oid, String location) {
    tablespaces.put(oid, location);
    return directory(oid + ".tar", "PG_17_202406281");
  }

  /** A tablespace with one file, and the map that names it. */
  SyntheticBackup tablespace(String oid, String location) {
    tablespaces.put(oid, location);
    String version = "PG_17_202406281";
    directory(oid + ".tar", version);
    put(oid + ".tar", version + "/1", "remote");
    return declare("pg_tblspc/" + oid + "/" + version + "/1", "remote");
  }

  /** A file that is there and declared. */
  SyntheticBackup file(String archive, String path, String content) {
    return put(archive, path, content).declare(path, content);
  }

  /** A file that is there. */
  SyntheticBackup put(String archive, String path, String content) {
    return member(archive, path, TarConstants.LF_NORMAL, content);
  }

  /** A file that the manifest names. */
  SyntheticBackup declare(String path, String content) {
    declared.put(path, content.getBytes(StandardCharsets.UTF_8));
    return this;
  }

  SyntheticBackup directory(String archive, String path) {
    return member(archive, path + "/", TarConstants.LF_DIR, "");
  }

  SyntheticBackup symbolicLink(String archive, String path) {
    return member(archive, path, TarConstants.LF_SYMLINK, "");
  }

  private SyntheticBackup member(String archive, String path, byte type, String content) {
    archives
        .computeIfAbsent(archive, name -> new ArrayList<>())
        .add(new Member(path, type, content.getBytes(StandardCharsets.UTF_8)));
    return this;
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of("postgres-physical/1", Component.DATABASE, Stage.DATABASE)
        .incremental();
  }

  @Override
  public void check(Checks checks) {
    throw new AssertionError("nothing to check");
  }

  @Override
  public void capture(CaptureSession session) throws IOException {
    tablespaces.forEach((oid, place) -> session.property("tablespace." + oid, place));
    if (session.requested() == CaptureKind.INCREMENTAL) {
      session.dependsOn(session.parent().orElseThrow());
    }
    for (Map.Entry<String, byte[]> artifact : artifacts().entrySet()) {
      boolean isManifest = artifact.getKey().equals("backup_manifest");
      session.artifact(
          ArtifactName.of(artifact.getKey()),
          isManifest ? Form.WHOLE.remembered() : Form.BLOCKS,
          out -> out.write(artifact.getValue()));
    }
  }

  /** The archives, and last the manifest, by name. */
  Map<String, byte[]> artifacts() throws IOException {
    Map<String, List<Member>> all = new LinkedHashMap<>(archives);
    Map<String, byte[]> files = new LinkedHashMap<>(declared);
    if (!tablespaces.isEmpty()) {
      StringBuilder map = new StringBuilder();
      tablespaces.forEach((oid, place) -> map.append(oid).append(' ').append(place).append('\n'));
      byte[] content = map.toString().getBytes(StandardCharsets.UTF_8);
      List<Member> base = new ArrayList<>(archives.getOrDefault("base.tar", List.of()));
      base.add(new Member("tablespace_map", TarConstants.LF_NORMAL, content));
      all.put("base.tar", base);
      files.put("tablespace_map", content);
    }
    Map<String, byte[]> artifacts = new LinkedHashMap<>();
    for (Map.Entry<String, List<Member>> archive : all.entrySet()) {
      artifacts.put(archive.getKey(), tar(archive.getValue()));
    }
    artifacts.put("backup_manifest", manifest(files).getBytes(StandardCharsets.UTF_8));
    return artifacts;
  }

  /** Where tablespaces are, by oid. */
  Map<String, String> tablespaces() {
    return tablespaces;
  }

  private byte[] tar(List<Member> members) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, names.name())) {
      for (Member member : members) {
        TarArchiveEntry entry = new TarArchiveEntry(member.path(), member.type(), true);
        entry.setLinkName(member.type() == TarConstants.LF_SYMLINK ? "/etc" : "");
        entry.setModTime(0L);
        entry.setSize(member.content().length);
        tar.putArchiveEntry(entry);
        tar.write(member.content());
        tar.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }

  private String manifest(Map<String, byte[]> declared) {
    List<String> files = new ArrayList<>();
    declared.forEach(
        (path, content) ->
            files.add(
                ("{ \"Path\": \"%s\", \"Size\": %d, \"Last-Modified\": \"2026-01-02 03:04:05 GMT\","
                        + " \"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"%s\" }")
                    .formatted(path, content.length, checksum(content))));
    String text =
        """
        { "PostgreSQL-Backup-Manifest-Version": 2,
        "System-Identifier": %s,
        "Files": [
        %s
        ],
        "WAL-Ranges": [
        { "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000100" }
        ],
        """
            .formatted(system, String.join(",\n", files));
    String digest = Digest.ofContent(text.getBytes(StandardCharsets.UTF_8)).hex();
    return text + "\"Manifest-Checksum\": \"" + digest + "\"}\n";
  }

  /** The number's bytes as a little-endian server has them in memory. */
  private static String checksum(byte[] content) {
    CRC32C crc = new CRC32C();
    crc.update(content);
    return HexFormat.of().toHexDigits(Integer.reverseBytes((int) crc.getValue()));
  }

  private record Member(String path, byte type, byte[] content) {}
}
