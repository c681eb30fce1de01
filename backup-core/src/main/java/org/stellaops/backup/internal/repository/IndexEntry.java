package org.stellaops.backup.internal.repository;

import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.model.BackupException;

/**
 * A writer's word of what its state is now, without a snapshot: written when its index was made
 * again from its packs. Byte by byte in {@code docs/format/state.md}.
 */
public final class IndexEntry {
  private static final String KIND = "index";
  private static final String EPOCHS = "epochs";

  private IndexEntry() {}

  /** Whether the entry is such a word. */
  public static boolean isIndex(Entry entry) {
    return entry.kind().equals(KIND) && entry.required().isEmpty();
  }

  /** The epoch whose state it names; empty text if it names none. */
  public static String epochOf(Entry entry) {
    return entry.field(EPOCHS).orElse("");
  }

  /** The whole state of that epoch. */
  public static List<StateRef> state(Entry entry) throws BackupException {
    List<StateRef> state = new ArrayList<>();
    for (String field : entry.fields("state")) {
      state.add(StateRef.parse(field));
    }
    return state;
  }

  /** The draft of such an entry. */
  public static Entry.Draft draft(Epoch epoch, List<StateRef> state) {
    Entry.Draft draft = new Entry.Draft(KIND).field(EPOCHS, epoch.id());
    state.forEach(ref -> draft.field("state", ref.text()).line(ref.object()));
    return draft;
  }
}
