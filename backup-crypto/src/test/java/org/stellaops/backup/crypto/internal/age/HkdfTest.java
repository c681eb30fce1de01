package org.stellaops.backup.crypto.internal.age;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class HkdfTest {
  /** RFC 5869, appendix A.3, of whose 42 bytes we ask for 32. */
  @Test
  void the_vector_without_salt_and_info_holds() {
    byte[] secret = new byte[22];
    Arrays.fill(secret, (byte) 0x0b);

    assertEquals(
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d",
        HexFormat.of().formatHex(Hkdf.derive(secret, new byte[0], "")));
  }

  /** RFC 4231, test case 2. */
  @Test
  void the_vector_of_hmac_holds() {
    assertEquals(
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        HexFormat.of()
            .formatHex(
                Hkdf.hmac(
                    "Jefe".getBytes(US_ASCII), "what do ya want for nothing?".getBytes(US_ASCII))));
  }
}
