package org.stellaops.backup.internal.repository;

import java.io.IOException;

/** A predicate that may have to read a file. */
@FunctionalInterface
public interface IoPredicate<T> {
  /** Whether this one is meant. */
  boolean test(T one) throws IOException;
}
