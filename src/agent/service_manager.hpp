// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/fd.hpp"

namespace tapio::agent {

// Who started the agent as a service and wants to hear of it: systemd, or whoever set NOTIFY_SOCKET
// as sd_notify(3) has it. Where nobody did, nothing is told. A message that does not get there is
// no fault of the agent's: the manager draws its own conclusions.
class ServiceManager {
 public:
  // `address`: a path, or @ and a name in the abstract namespace; "": there is none. `watchdog`: it
  // takes an agent that is silent for so long for dead.
  explicit ServiceManager(std::string_view address,
                          std::optional<std::chrono::nanoseconds> watchdog = {});
  // From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  [[nodiscard]] static ServiceManager from_environment();

  // It watches.
  void ready();
  // It still works: told twice in the watchdog's time, however often it is called.
  void alive(MonotonicTime now);
  // It ends because it was told to.
  void stopping();

 private:
  void tell(std::string_view message, int flags = 0);

  std::string address_;
  std::optional<std::chrono::nanoseconds> watchdog_;
  MonotonicTime next_sign_{};
  Fd socket_;
};

}  // namespace tapio::agent
