package org.stellaops.backup.retention;

/**
 * A snapshot of which only the place is known: it may need any earlier one of its log.
 *
 * @param log in which it stands
 * @param sequence its place there; {@link Long#MAX_VALUE} if that is not known either
 * @param found why it cannot be read
 */
public record Unreadable(String log, long sequence, String found) {}
