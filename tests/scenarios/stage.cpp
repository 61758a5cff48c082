// SPDX-License-Identifier: Apache-2.0
#include "stage.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>
#include <utility>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "child.hpp"
#include "facts/facts.hpp"

namespace tapio {

using namespace std::chrono_literals;

namespace {

using Reported = std::array<pid_t, Stage::kMaxReported>;

// Smaller than PIPE_BUF, so it comes whole or not at all.
Result<Reported> wait_until_ready(int reader, std::chrono::milliseconds patience) {
  pollfd waiting{.fd = reader, .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, static_cast<int>(patience.count())) <= 0)
    return fail(Fault::unavailable, "it did not get ready in time");
  Reported reported{};
  if (::read(reader, &reported, sizeof reported) != sizeof reported)
    return fail(Fault::broken, "it ended before it was ready");
  return reported;
}

std::string command_line(const std::vector<std::string>& args) {
  std::string line;
  for (const auto& arg : args) {
    if (!line.empty()) line += ' ';
    append_shell_word(line, arg);
  }
  return line;
}

// The parent's pid and the comm of /proc/PID/stat (proc(5)): "7 (comm) S 1 ...".
std::optional<std::pair<pid_t, std::string>> parent_and_comm(const std::filesystem::path& process) {
  std::ifstream file(process / "stat");
  const std::string stat{std::istreambuf_iterator<char>(file), {}};
  const auto open = stat.find('('), close = stat.rfind(')');
  if (close == stat.npos || close < open || close + 4 > stat.size()) return {};
  return std::pair(static_cast<pid_t>(std::atoi(stat.c_str() + close + 4)),
                   stat.substr(open + 1, close - open - 1));
}

pid_t find_child(pid_t parent, std::string_view comm) {
  std::error_code gone;  // of a process that ended meanwhile
  for (const auto& entry : std::filesystem::directory_iterator("/proc", gone)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0) continue;
    const auto found = parent_and_comm(entry.path());
    if (found && found->first == parent && found->second == comm) return pid;
  }
  return 0;
}

}  // namespace

void Stage::perform(pid_t parent, std::string_view name, const Act& act, int ready) {
  settle_in(parent, SIGKILL);
  ::prctl(PR_SET_NAME, std::string(name).c_str());
  living_.clear();  // the parent's
  notes_.clear();
  const int status = act([ready](std::initializer_list<pid_t> pids) {
    Reported reported{};
    std::ranges::copy_n(pids.begin(), std::min<std::ptrdiff_t>(pids.size(), kMaxReported),
                        reported.begin());
    (void)!::write(ready, &reported, sizeof reported);
  });
  clear();
  ::_exit(status);
}

Result<Stage::Actor> Stage::start(std::string_view name, const Act& act) {
  auto [reader, writer] = TRY(Pipe::open());
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return from_errno(errno, "fork");
  if (pid == 0) perform(parent, name, act, writer.get());
  living_.push_back({.pid = pid, .name = std::string(name)});
  writer = Fd();
  auto reported = wait_until_ready(reader.get(), patience_);
  if (!reported) return std::unexpected(std::move(reported.error()).within(name));
  note(fmt::format("started {} (pid {})", name, pid));
  return Actor{.pid = pid, .reported = *reported};
}

Result<pid_t> Stage::sleeper(std::string_view name) {
  const Actor actor = TRY(start(name, [](const Ready& ready) -> int {
    ready({});
    sleep_until_killed();
  }));
  return actor.pid;
}

Result<pid_t> Stage::run(const std::vector<std::string>& args) {
  const pid_t pid = TRY(execute(args, {}, SIGKILL));
  living_.push_back({.pid = pid, .name = std::filesystem::path(args.front()).filename()});
  note(fmt::format("ran {} (pid {})", command_line(args), pid));
  return pid;
}

Result<int> Stage::end(pid_t pid) {
  const int status = TRY(end_of(pid, patience_));
  const auto ended = std::ranges::find(living_, pid, &Living::pid);
  if (ended == living_.end()) return status;
  note(fmt::format("{} (pid {}) {}", ended->name, pid, status_in_words(status)));
  living_.erase(ended);
  return status;
}

Status Stage::must_be_killed(pid_t pid, int signal) {
  const int status = TRY(end(pid));
  if (WIFSIGNALED(status) && WTERMSIG(status) == signal) return {};
  return fail(Fault::broken, fmt::format("pid {} {}, and not by {} as it should", pid,
                                         status_in_words(status), signal_name(signal)));
}

Status Stage::must_exit(pid_t pid, int status) {
  const int actual = TRY(end(pid));
  if (WIFEXITED(actual) && WEXITSTATUS(actual) == status) return {};
  return fail(Fault::broken, fmt::format("pid {} {}, and not with status {} as it should", pid,
                                         status_in_words(actual), status));
}

Result<pid_t> Stage::child_of(pid_t parent, std::string_view comm) const {
  for (const auto deadline = monotonic_now() + patience_; monotonic_now() < deadline;) {
    if (const pid_t pid = find_child(parent, comm)) return pid;
    std::this_thread::sleep_for(2ms);
  }
  return fail(Fault::unavailable, fmt::format("pid {} has no child {}", parent, comm));
}

void Stage::clear() {
  for (const auto& living : living_) kill_and_reap(living.pid);
  living_.clear();
}

void sleep_until_killed() {
  while (true) ::pause();
}

}  // namespace tapio
