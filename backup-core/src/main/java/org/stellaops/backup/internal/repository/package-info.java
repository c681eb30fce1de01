/**
 * Names: objects, entries, logs, signatures, lists, manifests, the writer's state. Sees no plain
 * artifact bytes; imports the values of {@code internal.pipeline} that say where chunks are, and
 * {@code internal.json}.
 */
@NullMarked
package org.stellaops.backup.internal.repository;

import org.jspecify.annotations.NullMarked;
