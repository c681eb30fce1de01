package org.stellaops.backup.postgres;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.SourceDescription;

/** A source to which something happens when it tells of its first progress: it is streaming. */
final class SourceWithHook implements BackupSource {
  private final BackupSource inner;
  private final Hook hook;
  private boolean hasHappened;

  SourceWithHook(BackupSource inner, Hook hook) {
    this.inner = inner;
    this.hook = hook;
  }

  @Override
  public SourceDescription describe() {
    return inner.describe();
  }

  @Override
  public void check(Checks checks) throws IOException {
    inner.check(checks);
  }

  @Override
  public void capture(CaptureSession session) throws IOException {
    inner.capture(
        (CaptureSession)
            Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {CaptureSession.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals("progress") && !hasHappened) {
                    hasHappened = true;
                    hook.run();
                  }
                  try {
                    return method.invoke(session, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                }));
  }

  /** What happens. */
  @FunctionalInterface
  interface Hook {
    void run() throws Exception;
  }
}
