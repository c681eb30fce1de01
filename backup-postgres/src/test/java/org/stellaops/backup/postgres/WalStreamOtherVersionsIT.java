package org.stellaops.backup.postgres;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link WalStreamCases} on the versions that are left. */
@Tag("interop")
@ParameterizedClass
@ValueSource(ints = {15, 16, 17})
class WalStreamOtherVersionsIT extends WalStreamCases {}
