package org.stellaops.backup.plan;

import java.util.List;
import java.util.Optional;
import org.stellaops.backup.model.LogHead;

/** How a copy is to become the primary. Immutable. */
public final class PromotionRequest {
  private final List<LogHead> expected;
  private final Optional<String> reason;

  private PromotionRequest(List<LogHead> expected, Optional<String> reason) {
    this.expected = List.copyOf(expected);
    this.reason = reason;
  }

  /** Of a copy that lacks nothing that anybody is known to have seen. */
  public static PromotionRequest ofWhole() {
    return new PromotionRequest(List.of(), Optional.empty());
  }

  /**
   * Entries that are known from elsewhere to have been in the former primary. Logs go on behind
   * them, however far ahead they are.
   */
  public PromotionRequest expecting(LogHead... heads) {
    return new PromotionRequest(List.of(heads), reason);
  }

  /**
   * Also if the copy lacks something that the former primary had, or something of it is damaged.
   *
   * @param why printable ASCII of one line; goes into the log {@code admin}
   */
  public PromotionRequest acceptingLoss(String why) {
    if (!why.matches("[ -~]{1,1000}")) {
      throw new IllegalArgumentException("a reason of 1 to 1000 printable characters, not " + why);
    }
    return new PromotionRequest(expected, Optional.of(why));
  }

  /** What is known from elsewhere. */
  public List<LogHead> expected() {
    return expected;
  }

  /** Why a loss is accepted; empty if none is. */
  public Optional<String> reason() {
    return reason;
  }
}
