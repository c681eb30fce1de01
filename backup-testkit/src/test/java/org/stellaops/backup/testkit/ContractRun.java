package org.stellaops.backup.testkit;

import java.lang.annotation.Annotation;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Runs the tests of a contract as JUnit would, each on an instance of its own. */
final class ContractRun {
  private ContractRun() {}

  /** What each failing test threw, by the test's name. */
  static Map<String, Throwable> failures(Callable<?> newInstance) {
    Map<String, Throwable> failures = new TreeMap<>();
    int tests = 0;
    for (Method test : methods(instance(newInstance), Test.class)) {
      Object contract = instance(newInstance);
      tests++;
      try {
        invokeAll(contract, methods(contract, BeforeEach.class));
        invokeAll(contract, List.of(test));
        invokeAll(contract, methods(contract, AfterEach.class));
      } catch (InvocationTargetException e) {
        failures.put(test.getName(), e.getCause());
      }
    }
    if (tests == 0) {
      throw new AssertionError("no tests were found");
    }
    return failures;
  }

  private static void invokeAll(Object on, List<Method> methods) throws InvocationTargetException {
    for (Method method : methods) {
      try {
        method.invoke(on);
      } catch (IllegalAccessException e) {
        throw new AssertionError("methods of a contract are public: " + method, e);
      }
    }
  }

  private static List<Method> methods(Object of, Class<? extends Annotation> annotation) {
    return Arrays.stream(of.getClass().getMethods())
        .filter(m -> m.isAnnotationPresent(annotation))
        .sorted(Comparator.comparing(Method::getName))
        .toList();
  }

  private static Object instance(Callable<?> newInstance) {
    try {
      return newInstance.call();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }
}
