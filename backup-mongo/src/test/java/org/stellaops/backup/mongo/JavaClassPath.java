package org.stellaops.backup.mongo;

import java.io.File;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.bson.BsonDocument;
import org.junit.jupiter.api.Assertions;
import org.junit.platform.commons.JUnitException;
import org.opentest4j.AssertionFailedError;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.testkit.CaptureHarness;

/** Where the classes of these tests are, for a Java process beside them. */
final class JavaClassPath {
  private JavaClassPath() {}

  /** Classes under test, the tests, and what they need, whether from a class or a module path. */
  static String ofTests() {
    Set<String> places = new LinkedHashSet<>();
    List.of(
            MongoTarget.class,
            JavaClassPath.class,
            BackupRepository.class,
            CaptureHarness.class,
            com.mongodb.client.MongoClient.class,
            com.mongodb.MongoException.class,
            BsonDocument.class,
            Assertions.class,
            JUnitException.class,
            AssertionFailedError.class,
            LoggerFactory.class)
        .forEach(c -> places.add(place(c)));
    return String.join(File.pathSeparator, places);
  }

  private static String place(Class<?> type) {
    try {
      return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
    } catch (URISyntaxException e) {
      throw new AssertionError("a place of classes is a URI", e);
    }
  }
}
