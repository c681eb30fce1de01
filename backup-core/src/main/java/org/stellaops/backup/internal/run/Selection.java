package org.stellaops.backup.internal.run;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.SourceName;

/**
 * Finds what a caller means by the name of a source, of a component, or {@code component/source}.
 */
final class Selection<T> {
  private final List<T> all;
  private final Function<T, SourceName> name;
  private final Function<T, Component> component;

  Selection(List<T> all, Function<T, SourceName> name, Function<T, Component> component) {
    this.all = all;
    this.name = name;
    this.component = component;
  }

  /** Everything if nothing was said; in the order of all. */
  List<T> of(List<String> wanted) throws BackupException {
    if (wanted.isEmpty()) {
      return all;
    }
    Set<T> chosen = new LinkedHashSet<>();
    for (String text : wanted) {
      chosen.add(one(text));
    }
    return all.stream().filter(chosen::contains).toList();
  }

  private T one(String text) throws BackupException {
    List<T> matches = new ArrayList<>();
    for (T item : all) {
      if (path(item).equals(text) || name.apply(item).value().equals(text)) {
        return item;
      }
      if (component.apply(item).value().equals(text)) {
        matches.add(item);
      }
    }
    if (matches.size() == 1) {
      return matches.get(0);
    }
    boolean isUnknown = matches.isEmpty();
    throw new BackupException.Refused(
        isUnknown ? CoreFailure.NOT_FOUND : CoreFailure.AMBIGUOUS,
        isUnknown
            ? "there is no '%s'; there are %s".formatted(text, paths(all))
            : "'%s' could be any of %s; hint: name one of them".formatted(text, paths(matches)));
  }

  private List<String> paths(List<T> items) {
    return items.stream().map(this::path).toList();
  }

  private String path(T item) {
    return component.apply(item) + "/" + name.apply(item);
  }
}
