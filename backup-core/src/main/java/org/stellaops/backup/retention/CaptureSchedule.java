package org.stellaops.backup.retention;

import java.time.Duration;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.SourceName;

/**
 * When a simulated source is captured, and how much that stores.
 *
 * @param source what the plan calls it
 * @param component which part of the system it is
 * @param every time between captures, at least an hour
 * @param fullEvery every how many-th capture is a full one; 1 for all
 * @param fullBytes what a full one stores
 * @param incrementBytes what another one stores
 * @param failureRate part of the captures that are not good, from 0 to less than 1
 * @param missedRate part of the captures that never happen, from 0 to less than 1
 */
public record CaptureSchedule(
    SourceName source,
    Component component,
    Duration every,
    int fullEvery,
    long fullBytes,
    long incrementBytes,
    double failureRate,
    double missedRate) {
  private static final Duration AN_HOUR = Duration.ofHours(1);

  public CaptureSchedule {
    if (every.compareTo(AN_HOUR) < 0 || fullEvery < 1 || fullBytes < 0 || incrementBytes < 0) {
      throw new IllegalArgumentException(
          "captures of %s: at least an hour apart, every 1st or later full, no negative sizes: %s, %d, %d, %d"
              .formatted(source, every, fullEvery, fullBytes, incrementBytes));
    }
    if (!isRate(failureRate) || !isRate(missedRate)) {
      throw new IllegalArgumentException(
          "rates of %s must be from 0 to less than 1, found %s and %s"
              .formatted(source, failureRate, missedRate));
    }
  }

  private static boolean isRate(double rate) {
    return rate >= 0 && rate < 1;
  }

  /** Full captures that never fail. */
  public static CaptureSchedule full(
      SourceName source, Component component, Duration every, long bytes) {
    return new CaptureSchedule(source, component, every, 1, bytes, 0, 0, 0);
  }

  /** The same with increments between full ones. */
  public CaptureSchedule increments(int fullEveryNth, long bytes) {
    return new CaptureSchedule(
        source, component, every, fullEveryNth, fullBytes, bytes, failureRate, missedRate);
  }

  /** The same with bad luck. */
  public CaptureSchedule rates(double failed, double missed) {
    return new CaptureSchedule(
        source, component, every, fullEvery, fullBytes, incrementBytes, failed, missed);
  }
}
