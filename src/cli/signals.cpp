// SPDX-License-Identifier: Apache-2.0
#include "cli/signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

namespace tapio::cli {

Result<std::unique_ptr<Signals>> Signals::take(std::initializer_list<int> wanted) {
  auto taken = std::unique_ptr<Signals>(new Signals(wanted));
  if (!taken->signals_) return from_errno(errno, "wait for signals");
  return taken;
}

Signals::Signals(std::initializer_list<int> wanted) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : wanted) ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, &before_);
  signals_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

Signals::~Signals() {
  while (next()) {  // one that came meanwhile has done what it could
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> Signals::next() {
  signalfd_siginfo taken;
  if (::read(signals_.get(), &taken, sizeof taken) != sizeof taken) return std::nullopt;
  return static_cast<int>(taken.ssi_signo);
}

}  // namespace tapio::cli
