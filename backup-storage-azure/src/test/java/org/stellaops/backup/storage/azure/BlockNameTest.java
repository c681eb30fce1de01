package org.stellaops.backup.storage.azure;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class BlockNameTest {
  private static final String NONCE = UUID.randomUUID().toString();

  @Test
  void a_name_tells_when_its_block_was_staged() {
    Instant staged = Instant.parse("2026-11-21T10:11:12Z");
    assertEquals(Optional.of(staged), BlockName.staged(BlockName.of(staged, NONCE, 7)));
    assertEquals(
        Optional.of(staged), BlockName.staged(BlockName.of(staged.plusMillis(999), NONCE, 49_999)));
  }

  @Test
  void names_are_of_one_length_and_in_azures_bounds() {
    int length = BlockName.of(Instant.EPOCH, NONCE, 0).length();
    assertEquals(
        length, BlockName.of(Instant.parse("2100-01-01T00:00:00Z"), NONCE, 49_999).length());
    // At most 64 bytes before they are encoded.
    assertEquals(51, length / 4 * 3);
  }

  @Test
  void names_of_others_tell_nothing() {
    assertEquals(Optional.empty(), BlockName.staged("no Base64"));
    assertEquals(Optional.empty(), BlockName.staged("YWJj"));
  }
}
