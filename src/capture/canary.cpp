// SPDX-License-Identifier: Apache-2.0
#include "capture/canary.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>

namespace tapio::capture {

namespace {

// The child and its child use nothing but what signal-safety(7) allows.
struct Nest {
  int orders;   // read: 'n' make the noise and fork, 'g' let the singer go
  int answers;  // written: a pid each
  char** song;
};

void answer(const Nest& nest, pid_t pid) {
  (void)!::write(nest.answers, &pid, sizeof pid);
}

[[noreturn]] void sing_out(const Nest& nest, int go) {
  char c = 0;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::read(go, &c, 1) == 1) ::execv(nest.song[0], nest.song);
  ::_exit(127);
}

[[noreturn]] void live(const Nest& nest) {
  int go[2] = {-1, -1};
  pid_t singer = -1;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGUSR1, [](int) {});
  for (char order = 0; ::read(nest.orders, &order, 1) == 1;) {
    if (order == 'n') {
      ::kill(::getpid(), SIGUSR1);
      if (::pipe2(go, O_CLOEXEC)) ::_exit(1);
      singer = ::fork();
      if (singer == 0) ::close(go[1]), sing_out(nest, go[0]);
      answer(nest, singer);
    } else {
      (void)!::write(go[1], &order, 1);
      ::waitpid(singer, nullptr, 0);
      answer(nest, singer);
    }
  }
  ::_exit(0);
}

}  // namespace

Result<Canary> Canary::hatch(std::vector<std::string> song) {
  int orders[2], answers[2];
  if (::pipe2(orders, O_CLOEXEC) || ::pipe2(answers, O_CLOEXEC))
    return from_errno(errno, "make pipes for the canary");
  Fd orders_read(orders[0]), orders_write(orders[1]);
  Fd answers_read(answers[0]), answers_write(answers[1]);
  std::vector<char*> arguments;
  for (auto& word : song) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  const pid_t pid = ::fork();
  if (pid < 0) return from_errno(errno, "fork the canary");
  if (pid == 0) {
    ::close(orders[1]), ::close(answers[0]);  // or it would never see the agent's end
    live({orders[0], answers[1], arguments.data()});
  }
  return Canary(pid, std::move(orders_write), std::move(answers_read));
}

Canary::~Canary() {
  release();
}

void Canary::release() {
  if (!orders_) return;
  orders_ = Fd();
  if (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) ::waitpid(pid_, nullptr, 0);
}

Result<pid_t> Canary::ask(char order) {
  if (::write(orders_.get(), &order, 1) != 1) return from_errno(errno, "ask the canary");
  pollfd ready{.fd = answers_.get(), .events = POLLIN, .revents = 0};
  pid_t pid = 0;
  if (::poll(&ready, 1, kPatienceMs) != 1 ||
      ::read(answers_.get(), &pid, sizeof pid) != sizeof pid || pid <= 0) {
    ::kill(pid_, SIGKILL);
    return fail(Fault::unavailable, "the canary does not answer");
  }
  return pid;
}

Status Canary::sing(const Mark& mark) {
  const auto perform = [&]() -> Status {
    TRY(mark(static_cast<std::uint32_t>(pid_)));
    const pid_t singer = TRY(ask('n'));
    TRY(mark(static_cast<std::uint32_t>(singer)));
    TRY(ask('g'));
    return mark(static_cast<std::uint32_t>(pid_));
  };
  auto performed = perform();
  release();  // its end is the canary's too
  TRY(mark(0));
  return performed;
}

}  // namespace tapio::capture
