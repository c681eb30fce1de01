/**
 * Strict fakes, fault and damage injection, and contract suites for implementors of the SPIs.
 *
 * <p>Whoever writes
 *
 * <ul>
 *   <li>a sink extends {@link org.stellaops.backup.testkit.BackupSinkContract}; one behind a wire
 *       also {@link org.stellaops.backup.testkit.WireFaultContract} and {@link
 *       org.stellaops.backup.testkit.RepositoryFaultContract};
 *   <li>a source extends {@link org.stellaops.backup.testkit.BackupSourceContract} and looks closer
 *       with {@link org.stellaops.backup.testkit.CaptureHarness};
 *   <li>a target extends {@link org.stellaops.backup.testkit.RestoreTargetContract} and looks
 *       closer with {@link org.stellaops.backup.testkit.RestoreHarness};
 *   <li>a client of a server fails each of its requests with a {@link
 *       org.stellaops.backup.testkit.FaultyProxy};
 *   <li>a recipient, on a KMS say, extends {@link org.stellaops.backup.testkit.RecipientContract},
 *       and a format {@link org.stellaops.backup.testkit.SealedFormatContract};
 *   <li>a system on top backs up to a {@link org.stellaops.backup.testkit.MemorySink}, fails every
 *       operation with a {@link org.stellaops.backup.testkit.FaultPlan}, inflicts {@link
 *       org.stellaops.backup.testkit.Damage}, and looks for secrets with {@link
 *       org.stellaops.backup.testkit.CanaryAssertions}.
 * </ul>
 *
 * <p>Imports the SPIs, the model and the JUnit API, and for whole repositories the engine; nothing
 * here asks for the time or sleeps, except where a plan asks for latency.
 */
@NullMarked
package org.stellaops.backup.testkit;

import org.jspecify.annotations.NullMarked;
