// SPDX-License-Identifier: Apache-2.0
#include "agent.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "base/clock.hpp"
#include "child.hpp"

namespace tapio {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kLogTail = 4000;  // bytes
constexpr const char* kSeeded = R"("seeded":true)";
constexpr const char* kSocket = "/socket";
constexpr const char* kLog = "/log";
constexpr const char* kRecords = "/records";
constexpr const char* kStore = "/tapio.db";

std::string content_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

bool exists(bpf_cmd command, std::uint32_t id) {
  bpf_attr attributes{};
  attributes.prog_id = id;  // map_id is at the same place
  const auto fd = ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
  if (fd >= 0) ::close(static_cast<int>(fd));
  return fd >= 0 || errno != ENOENT;
}

std::set<std::uint32_t> existing(bpf_cmd command, const std::set<std::uint32_t>& ids) {
  std::set<std::uint32_t> left;
  for (const auto id : ids)
    if (exists(command, id)) left.insert(id);
  return left;
}

}  // namespace

KernelObjects KernelObjects::of(pid_t pid) {
  KernelObjects held;
  std::error_code gone;
  for (const auto& entry :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/fdinfo", pid), gone)) {
    std::ifstream file(entry.path());
    std::string key;
    for (std::uint32_t id = 0; file >> key;) {
      if (key == "prog_id:" && file >> id) held.programs.insert(id);
      if (key == "map_id:" && file >> id) held.maps.insert(id);
    }
  }
  return held;
}

KernelObjects KernelObjects::remaining() const {
  return {.programs = existing(BPF_PROG_GET_FD_BY_ID, programs),
          .maps = existing(BPF_MAP_GET_FD_BY_ID, maps)};
}

Agent::Agent(Agent&& other) noexcept
    : program_(std::move(other.program_)),
      patience_(other.patience_),
      folder_(std::exchange(other.folder_, {})),
      pid_(std::exchange(other.pid_, 0)),
      ready_after_(other.ready_after_) {}

Agent::~Agent() {
  if (pid_ != 0) kill_and_reap(pid_);
  std::error_code left;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, left);
}

Result<Agent> Agent::start(std::string program, std::chrono::milliseconds patience) {
  Agent agent(std::move(program), patience);
  TRY(agent.make_folder());
  const auto before = monotonic_now();
  TRY(agent.launch());
  if (auto answers = agent.wait_until_it_answers(); !answers)
    return fail(answers.error().fault,
                fmt::format("{}\n{}", answers.error().what, agent.log_tail()));
  agent.ready_after_ =
      std::chrono::duration_cast<std::chrono::milliseconds>(monotonic_now() - before);
  return agent;
}

Status Agent::make_folder() {
  std::string name = "/tmp/tapio_demo.XXXXXX";
  if (!::mkdtemp(name.data())) return from_errno(errno, "make a folder in /tmp");
  folder_ = std::move(name);
  return {};
}

Status Agent::launch() {
  const auto create = [&](const char* name) {
    return Fd(::open((folder_ + name).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  };
  const Fd log = create(kLog), records = create(kRecords);
  if (!log || !records) return from_errno(errno, "write into " + folder_);
  pid_ = TRY(execute({program_, "run", "--socket", folder_ + kSocket, "-o", "json", "--set",
                      "sinks.store.path=" + folder_ + kStore},
                     {.out = records.get(), .err = log.get()}, SIGINT));
  return {};
}

Status Agent::wait_until_it_answers() {
  const auto deadline = monotonic_now() + patience_;
  while (true) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = 0;
      return fail(WIFEXITED(status) && WEXITSTATUS(status) == 3 ? Fault::denied : Fault::broken,
                  fmt::format("the agent {} at its start", status_in_words(status)));
    }
    const auto answer = ask("status");
    if (answer && answer->contains(kSeeded)) return {};
    if (monotonic_now() > deadline)
      return answer ? fail(Fault::unavailable, "the agent does not get to know what is there")
                    : std::unexpected(answer.error());
    std::this_thread::sleep_for(20ms);
  }
}

Result<std::string> Agent::ask(const char* command) const {
  auto captured =
      TRY(capture({program_, command, "--json", "--socket", folder_ + kSocket}, patience_));
  if (captured.status == 0) return std::move(captured.out);
  return fail(Fault::unavailable, fmt::format("tapio {} {}: {}", command,
                                              status_in_words(captured.status), captured.err));
}

Result<std::vector<std::string>> Agent::not_in_store(std::vector<std::string> ids) const {
  if (ids.empty()) return ids;
  const std::string sql =
      fmt::format("select id from records where id in ('{}')", fmt::join(ids, "','"));
  const auto deadline = monotonic_now() + patience_;
  while (true) {
    const auto found = TRY(
        capture({program_, "query", "--store", folder_ + kStore, "-o", "lines", sql}, patience_));
    std::erase_if(ids, [&](const auto& id) { return found.out.contains('"' + id + '"'); });
    if (ids.empty() || monotonic_now() > deadline) return ids;
    std::this_thread::sleep_for(100ms);
  }
}

Result<std::string> Agent::stories() const {
  return ask("stories");
}

Result<KernelObjects> Agent::stop() {
  auto held = KernelObjects::of(pid_);
  if (held.programs.empty()) return fail(Fault::broken, "it held no program in the kernel");
  ::kill(pid_, SIGINT);
  const int status = TRY(end_of(pid_, patience_));
  pid_ = 0;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return fail(Fault::broken, fmt::format("it {} after SIGINT", status_in_words(status)));
  // The kernel frees in its own time, after a grace period.
  const auto deadline = monotonic_now() + patience_;
  auto left = held.remaining();
  while (!left.empty() && monotonic_now() < deadline) {
    std::this_thread::sleep_for(20ms);
    left = left.remaining();
  }
  if (left.empty()) return held;
  return fail(Fault::broken, fmt::format("it left {} programs and {} maps in the kernel",
                                         left.programs.size(), left.maps.size()));
}

std::string Agent::records() const {
  return content_of(folder_ + kRecords);
}

std::string Agent::log_tail() const {
  const auto log = content_of(folder_ + kLog);
  return log.size() <= kLogTail ? log : log.substr(log.size() - kLogTail);
}

}  // namespace tapio
