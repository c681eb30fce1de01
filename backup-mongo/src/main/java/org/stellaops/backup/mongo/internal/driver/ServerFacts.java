package org.stellaops.backup.mongo.internal.driver;

import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.BsonValue;

/**
 * What a server says about itself, in {@code hello} and {@code buildInfo}.
 *
 * @param version {@code 7.0.14}
 * @param major first number of the version
 * @param minor second number of the version
 * @param topology who answered
 * @param replicaSet name of the replica set; empty where there is none
 * @param hasSessions whether it knows sessions
 */
public record ServerFacts(
    String version,
    int major,
    int minor,
    Topology topology,
    String replicaSet,
    boolean hasSessions) {
  /** Who answered. */
  public enum Topology {
    STANDALONE,
    REPLICA_SET,
    SHARDED
  }

  /** Reads both replies. */
  static ServerFacts of(BsonDocument hello, BsonDocument buildInfo) {
    String version = buildInfo.getString("version").getValue();
    String[] numbers = version.split("\\.", 3);
    return new ServerFacts(
        version,
        number(numbers, 0),
        number(numbers, 1),
        topology(hello),
        hello.getString("setName", new BsonString("")).getValue(),
        hello.containsKey("logicalSessionTimeoutMinutes"));
  }

  /** Whether it is of this version or a later one. */
  public boolean isAtLeast(int wantedMajor, int wantedMinor) {
    return major > wantedMajor || (major == wantedMajor && minor >= wantedMinor);
  }

  private static Topology topology(BsonDocument hello) {
    BsonValue message = hello.get("msg");
    if (new BsonString("isdbgrid").equals(message)) {
      return Topology.SHARDED;
    }
    return hello.containsKey("setName") ? Topology.REPLICA_SET : Topology.STANDALONE;
  }

  private static int number(String[] numbers, int place) {
    String digits = place < numbers.length ? numbers[place].replaceAll("\\D.*", "") : "";
    return digits.isEmpty() ? 0 : Integer.parseInt(digits);
  }
}
