package org.stellaops.backup.architecture.broken.store;

import com.fasterxml.jackson.databind.JsonNode;
import javax.crypto.Cipher;
import org.apache.hadoop.io.erasurecode.ErasureCoderOptions;
import org.stellaops.backup.architecture.broken.internal.cloud.Common;
import org.stellaops.backup.architecture.broken.postgres.KnowsMongo;
import org.stellaops.backup.architecture.broken.testkit.Fake;

/** A part of core with everybody else's work. */
final class DoesItAll {
  Common common;
  Cipher cipher;
  ErasureCoderOptions code;
  JsonNode json;
  KnowsMongo technology;
  Fake fake;

  void end() {
    System.out.println("bye");
    System.exit(1);
  }
}
