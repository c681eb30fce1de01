package org.stellaops.backup.postgres.internal.tar;

/**
 * One file or directory of an archive.
 *
 * @param path relative, with {@code /} between names, safe below any directory
 * @param isDirectory whether it is a directory; else it is a regular file
 * @param sizeBytes of its content; 0 for a directory
 */
public record TarMember(String path, boolean isDirectory, long sizeBytes) {}
