package org.stellaops.backup.postgres;

import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** On the newest version. */
@ParameterizedClass
@ValueSource(ints = 18)
class StandbyBackupIT extends StandbyBackup {}
