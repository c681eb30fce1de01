package org.stellaops.backup.parity;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.stellaops.backup.model.Digest;

/** Files that protect each other, in the order in which the code counts them. */
record Group(List<Member> members) {
  Group {
    members = List.copyOf(members);
    Set<String> names = new HashSet<>();
    members.forEach(m -> names.add(m.name()));
    if (members.isEmpty() || names.size() < members.size()) {
      throw new IllegalArgumentException("a group is empty or names a file twice");
    }
  }

  /** Length of the parity in each volume: that of the largest member. */
  long parityBytes() {
    return members.stream().mapToLong(Member::bytes).max().orElse(0);
  }

  /** Sum of the sizes. */
  long bytes() {
    return members.stream().mapToLong(Member::bytes).sum();
  }

  /** What tells groups apart, however many volumes they have. */
  Digest id() {
    StringBuilder text = new StringBuilder();
    members.forEach(m -> text.append(m).append('\n'));
    return Digest.ofContent(text.toString().getBytes(StandardCharsets.UTF_8));
  }
}
