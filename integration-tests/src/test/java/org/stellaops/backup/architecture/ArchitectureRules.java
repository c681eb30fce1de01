package org.stellaops.backup.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.conditions.ArchPredicates.are;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.CompositeArchRule;
import com.tngtech.archunit.lang.syntax.elements.ClassesShould;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The arrows between modules and packages, and which package may touch which library.
 *
 * <p>Written for any root package, so that they can be tried on classes that break them: a rule
 * with a slip in a package name would hold for ever.
 */
final class ArchitectureRules {
  private static final List<String> TECHNOLOGIES =
      List.of(
          "crypto",
          "evidence",
          "mongo",
          "parity",
          "postgres",
          "storage.azure",
          "storage.gcs",
          "storage.s3");

  private static final Set<String> PROCESS =
      Set.of(
          "java.lang.System.exit",
          "java.lang.System.getenv",
          "java.lang.System.getProperty",
          "java.lang.System.setProperty",
          "java.lang.Runtime.exit",
          "java.lang.Runtime.halt",
          "java.lang.Runtime.addShutdownHook");

  private static final Set<String> PRINTING =
      Set.of(
          "java.lang.System.out",
          "java.lang.System.err",
          "java.lang.System.in",
          "java.lang.Throwable.printStackTrace");

  private static final Set<String> CLOCKS =
      Set.of(
          "java.lang.System.currentTimeMillis",
          "java.lang.System.nanoTime",
          "java.time.Clock.systemUTC",
          "java.time.Clock.systemDefaultZone",
          "java.time.Instant.now",
          "java.time.LocalDate.now",
          "java.time.LocalDateTime.now",
          "java.time.OffsetDateTime.now",
          "java.time.ZonedDateTime.now");

  private final String root;

  private ArchitectureRules(String root) {
    this.root = root;
  }

  /** All rules for what lies below a root package, by a sentence that says what holds. */
  static Map<String, ArchRule> below(String root) {
    var rules = new ArchitectureRules(root);
    Map<String, ArchRule> all = new LinkedHashMap<>();
    rules.arrows(all);
    rules.owners(all);
    rules.manners(all);
    all.replaceAll((sentence, rule) -> rule.as(sentence).allowEmptyShould(true));
    return all;
  }

  private void arrows(Map<String, ArchRule> all) {
    all.put("a technology knows no other", technologiesAreApart());
    all.put("core knows no technology", noneIn(core()).dependOnClassesThat(in(TECHNOLOGIES)));
    all.put(
        "no library depends on the test kit",
        noneIn(in("testkit").negate()).dependOnClassesThat(in("testkit")));
    all.put("the model knows nothing of ours", onlyKnows("model", "model"));
    all.put("the SPIs know the model only", onlyKnows("spi", "spi", "model"));
    all.put("retention knows values only", onlyKnows("retention", "retention", "spi", "model"));
    all.put(
        "the pipeline knows bytes and no names",
        noneIn(in("internal.pipeline"))
            .dependOnClassesThat(
                in("internal.repository", "internal.run")
                    .or(resideInAnyPackage("java.nio.file..", "java.net.."))));
    all.put(
        "the repository knows names and not the order of steps",
        noneIn(in("internal.repository")).dependOnClassesThat(in("internal.run")));
    all.put(
        "the packages inside core form no cycle",
        slices().matching(root + ".internal.(*)..").should().beFreeOfCycles());
  }

  private void owners(Map<String, ArchRule> all) {
    all.put("Jackson stays in internal.json", staysIn("internal.json", "com.fasterxml.jackson.."));
    all.put("the MongoDB driver stays in mongo", staysIn("mongo", "com.mongodb..", "org.bson.."));
    all.put("Hadoop's erasure coders stay in parity", staysIn("parity", "org.apache.hadoop.."));
    all.put("the AWS SDK stays in storage.s3", staysIn("storage.s3", "software.amazon.awssdk.."));
    all.put(
        "Azure's SDK stays in storage.azure",
        staysIn("storage.azure", "com.azure..", "reactor..", "org.reactivestreams.."));
    all.put(
        "Google's SDK stays in storage.gcs",
        staysIn("storage.gcs", "com.google.cloud..", "com.google.auth..", "com.google.api.."));
    all.put(
        "what clouds have in common is theirs",
        noneIn(in("storage", "internal.cloud").negate()).dependOnClassesThat(in("internal.cloud")));
    all.put("the PostgreSQL driver stays in postgres", staysIn("postgres", "org.postgresql.."));
    all.put(
        "ciphers stay in crypto, and in a simulated server",
        noneIn(in("crypto").or(in("mongo.fixture")).negate())
            .dependOnClassesThat(
                resideInAnyPackage("javax.crypto..", "org.bouncycastle..", "org.conscrypt..")
                    .and(isForMac().negate())
                    .as("encrypt")));
  }

  private void manners(Map<String, ArchRule> all) {
    all.put(
        "the process belongs to whoever embeds us; the test kit may kill it, as a fault",
        noneIn(in("testkit").negate()).accessTargetWhere(is(PROCESS)));
    all.put("nothing is printed", noneIn(in("")).accessTargetWhere(is(PRINTING)));
    all.put(
        "values do no input or output, read no clock and log nothing",
        noneIn(in("model", "retention"))
            .dependOnClassesThat(
                resideInAnyPackage("java.nio.file..", "java.net.http..", "org.slf4j..")
                    .or(nameMatching("java\\.io\\.(File|FileInputStream|FileOutputStream)")))
            .orShould()
            .accessTargetWhere(is(CLOCKS)));
  }

  private ArchRule technologiesAreApart() {
    ArchRule rule = null;
    for (String technology : TECHNOLOGIES) {
      List<String> others = TECHNOLOGIES.stream().filter(t -> !t.equals(technology)).toList();
      ArchRule one = noneIn(in(technology)).dependOnClassesThat(in(others)).allowEmptyShould(true);
      rule = rule == null ? one : CompositeArchRule.of(rule).and(one);
    }
    return rule;
  }

  /** Core's own HMAC needs a key, which is a class of a package for ciphers. */
  private static DescribedPredicate<JavaClass> isForMac() {
    return nameMatching("javax\\.crypto\\.(Mac|spec\\.SecretKeySpec)").forSubtype();
  }

  private ArchRule staysIn(String owner, String... library) {
    return noneIn(in(owner).negate()).dependOnClassesThat(resideInAnyPackage(library));
  }

  private ArchRule onlyKnows(String name, String... known) {
    return noneIn(in(name)).dependOnClassesThat(in("").and(in(known).negate()));
  }

  private ClassesShould noneIn(DescribedPredicate<JavaClass> which) {
    return noClasses().that(are(in("").and(which))).should();
  }

  private DescribedPredicate<JavaClass> core() {
    return in(TECHNOLOGIES).or(in("testkit")).negate();
  }

  private DescribedPredicate<JavaClass> in(List<String> names) {
    return in(names.toArray(String[]::new));
  }

  /** In one of these packages or below it; the empty name stands for all that is published. */
  private DescribedPredicate<JavaClass> in(String... names) {
    return resideInAnyPackage(
        Arrays.stream(names)
            .map(name -> name.isEmpty() ? root + ".." : root + "." + name + "..")
            .toArray(String[]::new));
  }

  private static DescribedPredicate<JavaAccess<?>> is(Set<String> members) {
    return DescribedPredicate.describe(
        "is one of " + members,
        access -> members.contains(access.getTargetOwner().getName() + "." + access.getName()));
  }
}
