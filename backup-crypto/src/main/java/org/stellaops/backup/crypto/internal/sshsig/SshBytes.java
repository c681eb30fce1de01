package org.stellaops.backup.crypto.internal.sshsig;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/** SSH's way of writing values one behind the other (RFC 4251, section 5). */
final class SshBytes {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  SshBytes raw(byte[] value) {
    bytes.writeBytes(value);
    return this;
  }

  SshBytes uint32(int value) {
    return raw(ByteBuffer.allocate(Integer.BYTES).putInt(value).array());
  }

  SshBytes string(byte[] value) {
    return uint32(value.length).raw(value);
  }

  SshBytes string(String value) {
    return string(value.getBytes(UTF_8));
  }

  byte[] toBytes() {
    return bytes.toByteArray();
  }
}
