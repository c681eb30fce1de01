package org.stellaops.backup.crypto.internal.sshsig;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class SshSignatureTest {
  /** RFC 8032, section 7.1, test 2. */
  private static final byte[] SEED =
      HexFormat.of().parseHex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");

  private static final String PUBLIC =
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM";

  /** What {@code ssh-keygen -Y sign -n stella-backup-v1} of OpenSSH 9.2 made of that key. */
  private static final String SIGNATURE =
      """
      -----BEGIN SSH SIGNATURE-----
      U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgPUAXw+hDiVqStwqnTRt+vJyYLM
      8uxJaMwM1V8Sr0ZgwAAAAQc3RlbGxhLWJhY2t1cC12MQAAAAAAAAAGc2hhNTEyAAAAUwAA
      AAtzc2gtZWQyNTUxOQAAAECXoOEuX5kE5VXJmzCM2SgVljsjAMFFCXvidhJe6Mi3GWzeMx
      u1E3s/TV5Extv1PuxPthacb98uN+FznwVjXOED
      -----END SSH SIGNATURE-----
      """;

  @Test
  void a_signature_is_the_one_that_openssh_makes() throws IOException {
    Ed25519Key key = Ed25519Key.of(SEED, PUBLIC).orElseThrow();

    assertEquals(
        SIGNATURE,
        SshSignature.sign(key, "stella-backup-v1", "hello, signature\n".getBytes(UTF_8)));
    assertEquals(PUBLIC, key.publicText());
  }

  /** RFC 8032, section 7.1, test 2. */
  @Test
  void the_vector_of_the_specification_holds() throws IOException {
    Ed25519Key key = Ed25519Key.of(SEED, PUBLIC).orElseThrow();

    assertEquals(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        HexFormat.of().formatHex(key.sign(new byte[] {0x72})));
  }

  @Test
  void halves_of_two_keys_are_no_pair() throws IOException {
    Ed25519Key other = Ed25519Key.generate();

    assertTrue(Ed25519Key.of(other.seed(), other.publicText()).isPresent());
    assertFalse(Ed25519Key.of(SEED, other.publicText()).isPresent());
    assertFalse(Ed25519Key.of(other.seed(), PUBLIC).isPresent());
  }

  @Test
  void a_public_key_in_another_spelling_is_no_pair() throws IOException {
    String other = PUBLIC.replace("AAAAC3NzaC1lZDI1NTE5", "AAAAC3NzaC1lZDI1NTE4");

    assertFalse(Ed25519Key.of(SEED, other).isPresent());
  }

  @Test
  void a_namespace_is_demanded() throws IOException {
    Ed25519Key key = Ed25519Key.of(SEED, PUBLIC).orElseThrow();

    assertThrows(IllegalArgumentException.class, () -> SshSignature.sign(key, "", new byte[1]));
  }
}
