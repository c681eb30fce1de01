package org.stellaops.backup.postgres;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** The same as {@link StandbyBackupIT} on the versions before. */
@Tag("interop")
@ParameterizedClass
@ValueSource(ints = {15, 16, 17})
class StandbyBackupOtherVersionsIT extends StandbyBackup {}
