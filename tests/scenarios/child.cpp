// SPDX-License-Identifier: Apache-2.0
#include "child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <thread>

#include "base/clock.hpp"
#include "facts/facts.hpp"

namespace tapio {

using namespace std::chrono_literals;

Result<Pipe> Pipe::open() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return from_errno(errno, "make a pipe");
  return Pipe{.reader = Fd(ends[0]), .writer = Fd(ends[1])};
}

void settle_in(pid_t parent, int last_signal) {
  ::prctl(PR_SET_PDEATHSIG, last_signal);
  // 0: the parent is outside its pid namespace.
  if (const pid_t now = ::getppid(); now != parent && now != 0) ::_exit(0);
  ::prctl(PR_SET_DUMPABLE, 0);
  for (int signal = 1; signal < SIGRTMIN; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

namespace {

void connect(const Stdio& stdio) {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(stdio.out < 0 ? nothing : stdio.out, STDOUT_FILENO);
  ::dup2(stdio.err < 0 ? nothing : stdio.err, STDERR_FILENO);
}

[[noreturn]] void become(std::vector<std::string> args, const Stdio& stdio, int failed) {
  std::vector<char*> pointers;
  for (auto& arg : args) pointers.push_back(arg.data());
  pointers.push_back(nullptr);
  connect(stdio);
  ::execvp(pointers[0], pointers.data());
  const int why = errno;
  (void)!::write(failed, &why, sizeof why);
  ::_exit(127);
}

// Appends what can be read; false at the end of the stream.
Result<bool> take(int fd, std::string& out) {
  std::array<char, 16384> part;
  const ssize_t got = ::read(fd, part.data(), part.size());
  if (got < 0 && errno != EINTR) return from_errno(errno, "read a program's output");
  if (got > 0) out.append(part.data(), static_cast<std::size_t>(got));
  if (out.size() > kMaxCaptured) return fail(Fault::exhausted, "a program printed too much");
  return got != 0;
}

Status take_both(int out, int err, Captured& captured, MonotonicTime deadline) {
  pollfd waiting[] = {{.fd = out, .events = POLLIN, .revents = 0},
                      {.fd = err, .events = POLLIN, .revents = 0}};
  std::string* const texts[] = {&captured.out, &captured.err};
  while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - monotonic_now());
    if (left <= 0ms) return fail(Fault::unavailable, "the program takes too long");
    ::poll(waiting, 2, static_cast<int>(left.count()));
    for (int i = 0; i < 2; ++i)
      if (waiting[i].fd >= 0 && waiting[i].revents != 0 && !TRY(take(waiting[i].fd, *texts[i])))
        waiting[i].fd = -1;
  }
  return {};
}

}  // namespace

Result<pid_t> execute(const std::vector<std::string>& args, const Stdio& stdio, int last_signal) {
  auto [reader, writer] = TRY(Pipe::open());
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return from_errno(errno, "fork");
  if (pid == 0) {
    settle_in(parent, last_signal);
    become(args, stdio, writer.get());
  }
  writer = Fd();
  int why = 0;
  if (::read(reader.get(), &why, sizeof why) <= 0) return pid;  // closed by the exec
  kill_and_reap(pid);
  return from_errno(why, fmt::format("run {}", args.front()));
}

Result<int> end_of(pid_t pid, std::chrono::milliseconds patience) {
  const auto deadline = monotonic_now() + patience;
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) return status;
    if (ended < 0 && errno != EINTR) return from_errno(errno, fmt::format("wait for pid {}", pid));
    if (monotonic_now() > deadline)
      return fail(Fault::unavailable, fmt::format("pid {} has not ended in time", pid));
    std::this_thread::sleep_for(1ms);
  }
}

void kill_and_reap(pid_t pid) {
  ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
}

std::string status_in_words(int status) {
  if (WIFSIGNALED(status)) return fmt::format("was killed by {}", signal_name(WTERMSIG(status)));
  return fmt::format("exited with status {}", WEXITSTATUS(status));
}

Result<Captured> capture(const std::vector<std::string>& args, std::chrono::milliseconds patience) {
  auto out = TRY(Pipe::open());
  auto err = TRY(Pipe::open());
  const auto deadline = monotonic_now() + patience;
  const pid_t pid = TRY(execute(args, {.out = out.writer.get(), .err = err.writer.get()}, SIGKILL));
  out.writer = Fd();
  err.writer = Fd();
  Captured captured;
  auto read = take_both(out.reader.get(), err.reader.get(), captured, deadline);
  auto status = read ? end_of(pid, patience) : Result<int>(std::unexpected(read.error()));
  if (!status) {
    kill_and_reap(pid);
    return std::unexpected(std::move(status.error()).within(args.front()));
  }
  captured.status = *status;
  return captured;
}

}  // namespace tapio
