package org.stellaops.backup.storage.azure;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a block is called: when it was staged, by which put, and which one of it. Azure shows of a
 * block that nobody committed its name and its length, and not its age.
 */
final class BlockName {
  private static final Pattern FORM = Pattern.compile("([0-9a-f]{8})-[0-9a-f-]{36}-[0-9]{5}");
  private static final int HEX = 16;

  private BlockName() {}

  /** All of one length, as the blocks of a blob must be, and nobody else's. */
  static String of(Instant staged, String nonce, int number) {
    String name =
        String.format(Locale.ROOT, "%08x-%s-%05d", staged.getEpochSecond(), nonce, number);
    return Base64.getEncoder().encodeToString(name.getBytes(StandardCharsets.US_ASCII));
  }

  /** When a block was staged, to the second; empty if its name is not one of ours. */
  static Optional<Instant> staged(String name) {
    try {
      String text = new String(Base64.getDecoder().decode(name), StandardCharsets.US_ASCII);
      Matcher form = FORM.matcher(text);
      return form.matches()
          ? Optional.of(Instant.ofEpochSecond(Long.parseLong(form.group(1), HEX)))
          : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
