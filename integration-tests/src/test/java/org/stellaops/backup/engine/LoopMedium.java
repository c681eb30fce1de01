package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/**
 * A medium with a real file system, in a file: put in, taken out, and pulled out while it is used.
 * ext4 is the kernel's, on a loop device; FAT and exFAT have drivers of their own in user space,
 * since not every kernel knows them. Takes root.
 */
final class LoopMedium {
  /** What the medium was formatted with. */
  enum Format {
    EXT4("mkfs.ext4", "-q"),
    FAT32("mkfs.vfat", "-F", "32"),
    EXFAT("mkfs.exfat");

    private final String[] command;

    Format(String... command) {
      this.command = command;
    }
  }

  /** EXT4_IOC_SHUTDOWN without flushing the journal: what the kernel does when the device goes. */
  private static final String SHUT_DOWN =
      "open(my $d, '<', $ARGV[0]) or die $!; my $how = pack('L', 2);"
          + " ioctl($d, 0x8004587d, $how) or die $!";

  private final Format format;
  private final Path image;
  private final Path root;
  private String device = "";
  private boolean isIn;

  /** Formats one; {@link #insert} puts it in. */
  LoopMedium(Format format, Path directory, long sizeBytes) throws Exception {
    this.format = format;
    this.image = directory.resolve("medium.img");
    this.root = Files.createDirectory(directory.resolve("medium"));
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(sizeBytes);
    }
    String[] command = Arrays.copyOf(format.command, format.command.length + 1);
    command[command.length - 1] = image.toString();
    run(command);
  }

  /** Where it is when it is in. */
  Path root() {
    return root;
  }

  static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), String.join(" ", command) + ": " + said);
  }

  LoopMedium insert() throws Exception {
    switch (format) {
      case FAT32 -> quietly("fusefat", "-o", "rw+", image.toString(), root.toString());
      case EXFAT -> {
        attach();
        quietly("mount.exfat-fuse", device, root.toString());
      }
      default -> {
        attach();
        run("mount", "-o", "errors=remount-ro", device, root.toString());
      }
    }
    isIn = true;
    return this;
  }

  /** The driver goes on in the background, with what it was given to print to. */
  private static void quietly(String... command) throws Exception {
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), String.join(" ", command));
    assertEquals(0, process.exitValue(), String.join(" ", command));
  }

  private void attach() throws Exception {
    Process process = new ProcessBuilder("losetup", "-f", "--show", image.toString()).start();
    device = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
    assertEquals(0, process.waitFor(), "losetup");
  }

  /** While it is used; whoever uses it hears of it with the next thing he asks for. */
  void pullOut() {
    try {
      if (format == Format.EXT4) {
        run("perl", "-e", SHUT_DOWN, root.toString());
      } else {
        ProcessHandle driver = driver();
        driver.destroyForcibly();
        driver.onExit().get(60, TimeUnit.SECONDS);
      }
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private ProcessHandle driver() {
    return ProcessHandle.allProcesses().filter(this::isDriver).findFirst().orElseThrow();
  }

  private boolean isDriver(ProcessHandle process) {
    try {
      Path command = Path.of("/proc", Long.toString(process.pid()), "cmdline");
      return Files.readString(command, StandardCharsets.ISO_8859_1).contains(root + "\0");
    } catch (IOException e) {
      return false; // it ended meanwhile
    }
  }

  /** The file system finds an error in itself, and takes nothing more. Of ext4 only. */
  void fail() throws IOException {
    String name = device.substring(device.lastIndexOf('/') + 1);
    Files.writeString(Path.of("/sys/fs/ext4", name, "trigger_fs_error"), "1");
  }

  /** The name goes, and whoever holds something open may go on with it. */
  void detach() throws Exception {
    run("umount", "-l", root.toString());
    isIn = false;
    releaseDevice();
  }

  /** As one should. */
  LoopMedium takeOut() throws Exception {
    isIn = false;
    run("umount", root.toString());
    releaseDevice();
    return this;
  }

  private void releaseDevice() throws Exception {
    if (!device.isEmpty()) {
      run("losetup", "-d", device);
      device = "";
    }
  }

  /** At the end of a test, whether it is in or not. */
  void putAway() throws Exception {
    if (isIn) {
      takeOut();
    }
  }
}
