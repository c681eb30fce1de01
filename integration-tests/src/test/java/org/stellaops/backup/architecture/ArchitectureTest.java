package org.stellaops.backup.architecture;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ArchitectureTest {
  private static final String ROOT = "org.stellaops.backup";
  private static final String BROKEN = ROOT + ".architecture.broken";

  private static final Map<String, ArchRule> RULES = ArchitectureRules.below(ROOT);
  private static final Map<String, ArchRule> RULES_FOR_BROKEN = ArchitectureRules.below(BROKEN);

  private static final JavaClasses LIBRARY =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .withImportOption(location -> !location.contains("-tests.jar"))
          .importPackages(ROOT);

  /** Classes that break every rule; they lie among the tests. */
  private static final JavaClasses BREAKERS = new ClassFileImporter().importPackages(BROKEN);

  static Set<String> rules() {
    return RULES.keySet();
  }

  @ParameterizedTest
  @MethodSource("rules")
  void the_library_keeps(String rule) {
    RULES.get(rule).check(LIBRARY);
  }

  @ParameterizedTest
  @MethodSource("rules")
  void a_class_that_breaks_it_is_noticed_by(String rule) {
    assertTrue(RULES_FOR_BROKEN.get(rule).evaluate(BREAKERS).hasViolation());
  }

  @Test
  void every_module_is_looked_at() {
    Set<String> packages =
        LIBRARY.stream().map(JavaClass::getPackageName).collect(Collectors.toSet());
    for (String name :
        Set.of(
            "model",
            "crypto",
            "evidence",
            "mongo",
            "parity",
            "postgres",
            "storage.azure",
            "storage.gcs",
            "storage.s3",
            "testkit")) {
      assertTrue(
          packages.stream().anyMatch(p -> p.startsWith(ROOT + "." + name)),
          () -> "no class of " + name + " among " + packages);
    }
  }
}
