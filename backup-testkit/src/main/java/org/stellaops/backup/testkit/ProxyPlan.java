package org.stellaops.backup.testkit;

import java.util.function.Predicate;

/**
 * Which request of a {@link FaultyProxy} meets which fault. Asked once for each request, from any
 * thread.
 */
@FunctionalInterface
public interface ProxyPlan {
  /** What becomes of a request. */
  ProxyFault faultOf(ProxiedRequest request);

  /** Nothing fails; requests are counted and recorded. */
  static ProxyPlan none() {
    return request -> ProxyFault.none();
  }

  /** The request of this number, from 0, meets the fault; a retry has another number. */
  static ProxyPlan at(long number, ProxyFault fault) {
    return burst(number, 1, fault);
  }

  /** So many requests from this number on meet the fault. */
  static ProxyPlan burst(long first, int count, ProxyFault fault) {
    return on(request -> request.number() >= first && request.number() < first + count, fault);
  }

  /** The request of this number and all that follow meet the fault. */
  static ProxyPlan from(long first, ProxyFault fault) {
    return on(request -> request.number() >= first, fault);
  }

  /** Each request that matches meets the fault. */
  static ProxyPlan on(Predicate<ProxiedRequest> matching, ProxyFault fault) {
    return request -> matching.test(request) ? fault : ProxyFault.none();
  }
}
