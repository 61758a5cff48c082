// SPDX-License-Identifier: Apache-2.0
#include "agent/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace tapio::agent {

namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number <= 0) return {};
  return number;
}

// WATCHDOG_PID: the watchdog may be somebody else's, whose environment we inherited.
std::optional<std::chrono::nanoseconds> own_watchdog() {
  const auto whose = environment("WATCHDOG_PID");
  if (!whose.empty() && number_in(whose) != ::getpid()) return {};
  const auto time = number_in(environment("WATCHDOG_USEC"));
  // In nanoseconds it would not fit: that is never.
  if (!time || *time > kLatestTime.count() / 1000) return {};
  return std::chrono::microseconds(*time);
}

}  // namespace

ServiceManager::ServiceManager(std::string_view address,
                               std::optional<std::chrono::nanoseconds> watchdog)
    : address_(address), watchdog_(watchdog) {
  if (!address_.empty()) socket_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

ServiceManager ServiceManager::from_environment() {
  return ServiceManager(environment("NOTIFY_SOCKET"), own_watchdog());
}

void ServiceManager::ready() {
  tell("READY=1");
}

// The pipeline must not wait for a manager that is busy.
void ServiceManager::alive(MonotonicTime now) {
  if (!watchdog_ || now < next_sign_) return;
  next_sign_ = now + *watchdog_ / 2;
  tell("WATCHDOG=1", MSG_DONTWAIT);
}

void ServiceManager::stopping() {
  tell("STOPPING=1");
}

void ServiceManager::tell(std::string_view message, int flags) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (!socket_ || address_.size() >= sizeof to.sun_path) return;
  address_.copy(to.sun_path, address_.size());
  if (address_.front() == '@') to.sun_path[0] = '\0';
  const auto bytes = offsetof(sockaddr_un, sun_path) + address_.size();
  const auto* generic = static_cast<const sockaddr*>(static_cast<const void*>(&to));
  (void)!::sendto(socket_.get(), message.data(), message.size(), flags | MSG_NOSIGNAL, generic,
                  static_cast<socklen_t>(bytes));
}

}  // namespace tapio::agent
