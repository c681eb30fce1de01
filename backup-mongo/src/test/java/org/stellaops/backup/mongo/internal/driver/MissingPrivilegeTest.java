package org.stellaops.backup.mongo.internal.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.mongodb.MongoCommandException;
import com.mongodb.ServerAddress;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MissingPrivilegeTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          not authorized on local to execute command { find: "oplog.rs", filter: {} } | find on local.oplog.rs
          not authorized on db to execute command { listIndexes: "keys", cursor: {} } | listIndexes on db.keys
          not authorized on db to execute command { aggregate: "keys", pipeline: [] } | find on db.keys
          not authorized on db to execute command { listCollections: 1, cursor: {} } | listCollections on db
          not authorized on admin to execute command { fsyncUnlock: 1 } | unlock on cluster
          command find requires authentication | ''
          """)
  void what_the_server_says_is_missing_is_said_as_a_role_needs_it(String said, String missing) {
    BsonDocument reply =
        new BsonDocument("ok", new BsonInt32(0))
            .append("code", new BsonInt32(13))
            .append("codeName", new BsonString("Unauthorized"))
            .append("errmsg", new BsonString(said));
    var e = new MongoCommandException(reply, new ServerAddress());
    assertEquals(missing, MissingPrivilege.of(e).map(MissingPrivilege::toString).orElse(""));
  }
}
