package org.stellaops.backup.benchmarks;

import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.UUID;
import org.bson.BsonArray;
import org.bson.BsonBinary;
import org.bson.BsonBoolean;
import org.bson.BsonDateTime;
import org.bson.BsonDocument;
import org.bson.BsonDouble;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonObjectId;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.types.ObjectId;

/**
 * Documents as a directory of issuers holds them: prose, names, addresses, times, identifiers and
 * keys. Words are as frequent as those of a language, a few often and most seldom; digests and keys
 * are random. From a seed, always the same.
 */
final class DirectoryDocuments {
  /** Names of the collections; each has documents of its own kind. */
  static final List<String> COLLECTIONS =
      List.of("audit", "advisories", "issuers", "keys", "overrides");

  private static final int WORDS = 4_000;
  private static final int ISSUERS = 20_000;
  private static final int TENANTS = 40;
  private static final long FIRST_MILLIS = 1_700_000_000_000L;
  private static final String[] ACTIONS = {
    "created", "updated", "key_added", "key_rotated", "key_revoked", "trust_override_set"
  };
  private static final String[] SYLLABLES =
      ("a ac ad al an ar as at be ce ci co con cre de di e ed en er es ex fi for ful ge i ic in ing"
              + " ion is it la le li ly ma me men mi mo na ne ni no o on or ous pa per po pre pro ra"
              + " re ri ro sa se si so ta te ter ti tion to tor u ul un ur ve vi")
          .split(" ");

  private final Random random;
  private final String[] words = new String[WORDS];

  DirectoryDocuments(int seed) {
    Random ofTheLanguage = new Random(7);
    for (int i = 0; i < WORDS; i++) {
      StringBuilder word = new StringBuilder();
      for (int n = 1 + ofTheLanguage.nextInt(i < 50 ? 2 : 4); n > 0; n--) {
        word.append(SYLLABLES[ofTheLanguage.nextInt(SYLLABLES.length)]);
      }
      words[i] = word.toString();
    }
    random = new Random(seed);
  }

  /** The next of a collection. */
  BsonDocument next(String collection, int number) {
    return switch (collection) {
      case "audit" -> audit(number);
      case "advisories" -> advisory(number);
      case "issuers" -> issuer(number);
      case "keys" -> key();
      case "overrides" -> override();
      default -> throw new IllegalArgumentException(collection);
    };
  }

  private BsonDocument audit(int number) {
    BsonDocument metadata =
        new BsonDocument("requestId", uuid())
            .append("remote", text("10.%d.%d.%d".formatted(1 + number % 7, upTo(256), upTo(256))))
            .append("revision", new BsonInt64(upTo(1000)));
    return new BsonDocument("_id", objectId(number))
        .append("tenantId", tenant())
        .append("issuerId", issuerId())
        .append("action", text(ACTIONS[upTo(ACTIONS.length)]))
        .append("timestampUtc", new BsonDateTime(FIRST_MILLIS + number * 7_919L + upTo(7_000)))
        .append("actor", email())
        .append("reason", text(prose(3 + upTo(12))))
        .append("metadata", metadata);
  }

  private BsonDocument advisory(int number) {
    BsonArray products = new BsonArray();
    for (int n = 1 + upTo(5); n > 0; n--) {
      products.add(
          text(
              "pkg:maven/org.%s/%s@%d.%d.%d"
                  .formatted(word(), word(), upTo(9), upTo(20), upTo(9))));
    }
    return new BsonDocument("_id", text("CVE-%d-%d".formatted(2015 + upTo(11), 10_000 + number)))
        .append("issuerId", issuerId())
        .append("title", text(prose(5 + upTo(6))))
        .append("text", text(prose(60 + upTo(240))))
        .append("score", new BsonDouble(upTo(100) / 10.0))
        .append("products", products)
        .append("publishedUtc", time())
        .append("sha256", new BsonBinary(bytes(32)))
        .append("withdrawn", BsonBoolean.valueOf(upTo(50) == 0));
  }

  private BsonDocument issuer(int number) {
    String name = word() + "-" + word();
    BsonArray endpoints = new BsonArray();
    for (String kind : List.of("csaf", "vex", "oidc").subList(0, 1 + upTo(3))) {
      endpoints.add(
          new BsonDocument("kind", text(kind))
              .append(
                  "url",
                  text("https://%s.example.org/.well-known/%s/%d".formatted(name, kind, upTo(9))))
              .append("format", text("json"))
              .append("requiresAuthentication", BsonBoolean.valueOf(upTo(3) == 0)));
    }
    return new BsonDocument("_id", text("%s-%06d".formatted(name, number)))
        .append("tenantId", tenant())
        .append("displayName", text(prose(2)))
        .append("slug", text(name))
        .append("description", text(prose(10 + upTo(40))))
        .append("contact", new BsonDocument("email", email()).append("phone", phone()))
        .append("endpoints", endpoints)
        .append("tags", tags())
        .append("isSystemSeed", BsonBoolean.valueOf(upTo(20) == 0))
        .append("createdAtUtc", time())
        .append("createdBy", email())
        .append("updatedAtUtc", time())
        .append("updatedBy", email());
  }

  private BsonDocument key() {
    BsonDocument material =
        new BsonDocument("format", text("base64"))
            .append("value", text(Base64.getEncoder().encodeToString(bytes(91))));
    return new BsonDocument("_id", uuid())
        .append("issuerId", issuerId())
        .append("tenantId", tenant())
        .append("type", text("ecdsa-p256"))
        .append("status", text(upTo(5) == 0 ? "retired" : "active"))
        .append("material", material)
        .append("fingerprint", text(HexFormat.of().formatHex(bytes(32))))
        .append("createdAtUtc", time())
        .append("createdBy", email())
        .append("expiresAtUtc", time())
        .append("replacesKeyId", uuid());
  }

  private BsonDocument override() {
    return new BsonDocument("_id", uuid())
        .append("issuerId", issuerId())
        .append("tenantId", tenant())
        .append("weight", new BsonDouble(upTo(100) / 100.0))
        .append("rank", new BsonInt32(upTo(1000)))
        .append("reason", text(prose(5 + upTo(25))))
        .append("updatedAtUtc", time())
        .append("updatedBy", email());
  }

  private int upTo(int bound) {
    return random.nextInt(bound);
  }

  /** The n-th is about n times as rare as the first. */
  private String word() {
    return words[(int) Math.pow(WORDS, random.nextDouble()) - 1];
  }

  private String prose(int count) {
    StringBuilder prose = new StringBuilder();
    boolean begins = true;
    for (int i = 0; i < count; i++) {
      String word = word();
      prose.append(
          begins ? word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1) : word);
      begins = upTo(12) == 0;
      prose.append(begins ? ". " : " ");
    }
    return prose.toString().strip();
  }

  private static BsonString text(String text) {
    return new BsonString(text);
  }

  private BsonString tenant() {
    return text("tenant-%02d".formatted(upTo(TENANTS)));
  }

  private BsonString issuerId() {
    int issuer = upTo(ISSUERS);
    return text("%s-%05d".formatted(words[issuer % 997], issuer));
  }

  private BsonString email() {
    return text("%s.%s@%s.example.org".formatted(word(), word(), words[upTo(60)]));
  }

  private BsonString phone() {
    return text("+%d %d".formatted(30 + upTo(40), 1_000_000 + upTo(9_000_000)));
  }

  private BsonArray tags() {
    List<BsonValue> tags = new ArrayList<>();
    for (int n = upTo(5); n > 0; n--) {
      tags.add(text(words[upTo(40)]));
    }
    return new BsonArray(tags);
  }

  private BsonDateTime time() {
    return new BsonDateTime(FIRST_MILLIS + (long) (random.nextDouble() * 3e10));
  }

  private BsonString uuid() {
    return text(UUID.nameUUIDFromBytes(bytes(16)).toString());
  }

  /** As a driver makes them: time, process, counter. */
  private static BsonObjectId objectId(int number) {
    return new BsonObjectId(new ObjectId((int) (FIRST_MILLIS / 1000) + number / 9, number));
  }

  private byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    random.nextBytes(bytes);
    return bytes;
  }
}
