package org.stellaops.backup.bundle;

import java.util.List;

/** The page in a bundle that says how to get everything back without us, with its own names. */
final class RecoveryText {
  private RecoveryText() {}

  /**
   * The page.
   *
   * @param name of the bundle
   * @param entries {@code <entry> <time> <outcome> <name>}; none if they are not known yet
   */
  static String of(String name, List<String> entries) {
    String quoted = "'" + name.replace("'", "'\\''") + "'";
    String entry =
        entries.isEmpty() ? "ENTRY" : entries.get(0).substring(0, entries.get(0).indexOf(' '));
    String listed =
        entries.isEmpty()
            ? "`bash bundle/recover.sh list` says what is in it; put one of its first words for ENTRY below."
            : "It holds:\n\n```\n"
                + String.join("\n", entries)
                + "\n```\n\nFor another than the first, put its first word below.";
    return TEXT.replace("@NAME@", quoted).replace("@LISTED@", listed).replace("@ENTRY@", entry);
  }

  private static final String TEXT =
      """
      # How to get this backup back

      @NAME@ is a repository of Stella Ops Backup in a plain tar, in one file or in volumes that
      end in .001, .002 and so on. Nothing of Stella Ops is needed, only tar, age, zstd, jq, sha256sum,
      ssh-keygen, sed, bash and coreutils; and an identity file of an owner, here `owner.txt`, or the
      passphrase.

      @LISTED@

      ## 1. Unpack it, where there is room for all of it

      ```
      mkdir bundle
      { cat @NAME@ 2> /dev/null || cat @NAME@.[0-9][0-9][0-9]; } | tar -xf - -C bundle
      ```

      ## 2. Is anything damaged? (No key is needed)

      ```
      (cd bundle && sha256sum -c --strict --quiet SHA256SUMS)
      ```

      ## 3. Who made it?

      `bundle/allowed_signers` is what whoever made the bundle says. It proves nothing: compare its keys with
      those that you hold, or use your own file in its place. So is `bundle/recover.sh`: whoever carried the bundle
      can have changed it. Where that matters, put the one of a repository of your own in its place.

      ```
      bash bundle/recover.sh verify @ENTRY@ bundle/allowed_signers
      ```

      ## 4. Take everything out

      With a passphrase put `-` in place of `owner.txt`; age asks for it.

      ```
      bash bundle/recover.sh extract @ENTRY@ owner.txt out bundle/allowed_signers
      ```

      `out` then has a directory for each source. What is in it is in the native form of each system: files in
      a tar, a PostgreSQL cluster in base.tar, MongoDB in an archive for mongorestore.
      `bundle/FORMAT.txt` says the same by hand, command by command.

      ## 5. The host is gone, too?

      Then begin with this in place of step 4. It takes nothing out. It prints which programs the host had, in which
      versions, and the steps to a new one in their order, with the commands: provision, install, take out,
      configuration, secrets, data, start, check. That is for owners only, and stands in no page that others can read.

      ```
      bash bundle/recover.sh host @ENTRY@ owner.txt bundle/allowed_signers
      ```
      """;
}
