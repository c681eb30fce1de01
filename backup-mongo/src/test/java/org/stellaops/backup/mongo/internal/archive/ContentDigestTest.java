package org.stellaops.backup.mongo.internal.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.Digest;

class ContentDigestTest {
  @Test
  void of_one_document_it_is_its_sha_256() {
    byte[] document = SmallArchive.document(1, 10);
    assertEquals(Digest.ofContent(document), digest(List.of(document)));
  }

  @Test
  void of_nothing_it_is_zero() {
    assertEquals("0".repeat(64), digest(List.of()).hex());
  }

  @Test
  void it_is_the_sum_of_the_hashes_modulo_two_to_the_256() {
    List<byte[]> documents = documents(1000);
    BigInteger sum =
        documents.stream()
            .map(d -> new BigInteger(1, Digest.ofContent(d).bytes()))
            .reduce(BigInteger.ZERO, BigInteger::add)
            .mod(BigInteger.ONE.shiftLeft(256));
    assertEquals(sum, new BigInteger(digest(documents).hex(), 16));
  }

  @Test
  void the_order_does_not_matter_and_a_double_does() {
    List<byte[]> documents = documents(50);
    Digest inOrder = digest(documents);
    Collections.shuffle(documents, new Random(3));
    assertEquals(inOrder, digest(documents));
    documents.add(documents.get(0));
    documents.add(documents.get(0));
    assertNotEquals(inOrder, digest(documents));
  }

  private static List<byte[]> documents(int count) {
    List<byte[]> documents = new ArrayList<>();
    for (int id = 0; id < count; id++) {
      documents.add(SmallArchive.document(id, id % 17));
    }
    return documents;
  }

  private static Digest digest(List<byte[]> documents) {
    ContentDigest digest = new ContentDigest();
    documents.forEach(d -> digest.add(d, 0, d.length));
    return digest.value();
  }
}
