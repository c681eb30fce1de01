package org.stellaops.backup.examples.quickstart;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * What one part of a system holds, small enough to be written down.
 *
 * @param what the part
 * @param extent how much, for a human
 * @param digest SHA-256 over all of it
 */
record Fingerprint(String what, String extent, String digest) {
  private static final String DIVIDER = "\t";

  /** Of many things, whatever their order. */
  static Fingerprint of(String what, List<String> things, String unit) {
    return new Fingerprint(
        what,
        Sizes.count(things.size(), unit),
        sha256(String.join("\n", things.stream().sorted().toList())));
  }

  /** Of a file's bytes. */
  static Fingerprint ofFile(String what, Path file) throws IOException {
    return new Fingerprint(what, Sizes.bytes(Files.size(file)), sha256(file));
  }

  /** Of the names and bytes of all files below a directory. */
  static Fingerprint ofTree(String what, Path root) throws IOException {
    List<String> files = new ArrayList<>();
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path file : paths.filter(Files::isRegularFile).toList()) {
        files.add(sha256(file) + "  " + root.relativize(file));
      }
    }
    return of(what, files, "files");
  }

  static void write(List<Fingerprint> fingerprints, Path file) throws IOException {
    Files.write(
        file,
        fingerprints.stream().map(f -> String.join(DIVIDER, f.what, f.extent, f.digest)).toList());
  }

  static List<Fingerprint> read(Path file) throws IOException {
    return Files.readAllLines(file).stream()
        .map(line -> line.split(DIVIDER, -1))
        .map(f -> new Fingerprint(f[0], f[1], f[2]))
        .toList();
  }

  static String sha256(String text) {
    return sha256(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  static String sha256(ByteBuffer bytes) {
    MessageDigest digest = sha256();
    digest.update(bytes);
    return HexFormat.of().formatHex(digest.digest());
  }

  private static String sha256(Path file) throws IOException {
    MessageDigest digest = sha256();
    try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
      in.transferTo(java.io.OutputStream.nullOutputStream());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /** Its beginning, which is enough to look at. */
  String shown() {
    return extent + "  " + digest.substring(0, 12);
  }
}
