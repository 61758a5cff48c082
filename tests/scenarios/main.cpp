// SPDX-License-Identifier: Apache-2.0
// Causes real incidents on this machine, and checks what the real agent tells about them.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>

#include "play.hpp"
#include "scenario.hpp"

namespace tapio {
namespace {

constexpr int kFine = 0, kWrong = 1, kUsage = 2, kDenied = 3, kImpossible = 4;
constexpr int kLoaders = 2;
constexpr auto kPromise = std::chrono::seconds(5);  // within which a story is told

struct Options {
  std::vector<std::string> names;
  std::string tapio;
  bool list = false;
  bool json = false;
  bool late = false;
  bool load = false;
  bool twice = false;
};

struct Tally {
  int passed = 0, failed = 0;
};

// An exit code is the whole answer.
std::optional<int> read_options(int argc, char** argv, Options& options) {
  CLI::App app("Causes real incidents on this machine, and checks what Tapio tells about them.",
               "tapio_demo");
  app.add_option("name", options.names, "Scenarios, or stories, to play; default: all");
  app.add_option("--tapio", options.tapio, "The program to test; default: the one beside this");
  app.add_flag("--list", options.list, "List the scenarios");
  app.add_flag("--json", options.json, "Results as JSON lines");
  app.add_flag("--late", options.late, "Start an agent for each, when its incident begins");
  app.add_flag("--load", options.load, "Meanwhile, start and end processes without pause");
  app.add_flag("--twice", options.twice, "Play each twice in a row")->excludes("--late");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kFine : kUsage;
  }
  return {};
}

std::vector<const Scenario*> chosen(std::string_view name) {
  std::vector<const Scenario*> list;
  for (const auto& folder : scenario_folders())
    for (const auto& scenario : folder.scenarios)
      if (name.empty() || name == folder.name || name == scenario.name) list.push_back(&scenario);
  return list;
}

std::optional<std::vector<const Scenario*>> chosen(const std::vector<std::string>& names) {
  if (names.empty()) return chosen("");
  std::vector<const Scenario*> list;
  for (const auto& name : names) {
    const auto found = chosen(name);
    if (found.empty()) {
      fmt::print(stderr, "tapio_demo: no scenario or story '{}'; --list shows them\n", name);
      return {};
    }
    list.insert(list.end(), found.begin(), found.end());
  }
  return list;
}

int list_all() {
  for (const auto& folder : scenario_folders())
    for (const auto& scenario : folder.scenarios)
      fmt::print("{:<10} {:<44} {}\n", folder.name, scenario.name, scenario.what);
  return kFine;
}

// The inode of the initial pid namespace's file (PROC_PID_INIT_INO in include/linux/proc_ns.h).
bool in_initial_pid_namespace() {
  constexpr ino_t kInitial = 0xEFFFFFFC;
  struct stat file{};
  return ::stat("/proc/self/ns/pid", &file) == 0 && file.st_ino == kInitial;
}

std::optional<int> cannot_run() {
  if (::geteuid() != 0) {
    fmt::print(stderr, "tapio_demo: the agent loads programs into the kernel; run this as root\n");
    return kDenied;
  }
  if (!in_initial_pid_namespace()) {
    fmt::print(stderr,
               "tapio_demo: stories name pids as the initial pid namespace has them, and this is "
               "another one; run this on the host\n");
    return kImpossible;
  }
  return {};
}

// Emulated machines are many times slower (tests/matrix).
std::chrono::milliseconds patience() {
  return ::getenv("TAPIO_EMULATED") ? kPromise * 10 : kPromise;
}

std::string beside_this(std::string_view name) {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).replace_filename(name);
}

void report(const Outcome& outcome, const Options& options, Tally& tally) {
  ++(outcome.wrong.empty() ? tally.passed : tally.failed);
  fmt::print("{}", options.json ? in_json(outcome) : in_text(outcome) + "\n");
  std::fflush(stdout);  // before the next fork
}

// Processes that begin and end without pause, while the scenarios are played.
Status make_load(Stage& stage) {
  for (int i = 0; i < kLoaders; ++i) TRY(stage.run({"sh", "-c", "while :; do /bin/true; done"}));
  return {};
}

bool play_with_one_agent(const std::vector<const Scenario*>& scenarios, const Options& options,
                         Tally& tally) {
  auto agent = Agent::start(options.tapio, patience());
  if (!agent) {
    fmt::print(stderr, "tapio_demo: {}\n", agent.error().what);
    return false;
  }
  if (!options.json)
    fmt::print("The agent (pid {}) answers after {} ms.\n\n", agent->pid(),
               agent->ready_after().count());
  std::fflush(stdout);
  for (const auto* scenario : scenarios)
    for (int times = options.twice ? 2 : 1; times > 0; --times)
      report(play(*scenario, *agent, patience()), options, tally);
  report(play_end(*agent), options, tally);
  return true;
}

int play_all(const std::vector<const Scenario*>& scenarios, const Options& options) {
  Stage around(patience());
  if (const auto loaded = options.load ? make_load(around) : Status{}; !loaded) {
    fmt::print(stderr, "tapio_demo: {}\n", loaded.error().what);
    return kWrong;
  }
  Tally tally;
  if (options.late)
    for (const auto* scenario : scenarios)
      report(play_late(*scenario, options.tapio, patience()), options, tally);
  else if (!play_with_one_agent(scenarios, options, tally))
    return kWrong;
  if (options.json)
    fmt::print(R"({{"passed":{},"failed":{}}})"
               "\n",
               tally.passed, tally.failed);
  else
    fmt::print("{} passed, {} failed\n", tally.passed, tally.failed);
  return tally.failed == 0 ? kFine : kWrong;
}

int demo(int argc, char** argv) {
  Options options;
  if (const auto code = read_options(argc, argv, options)) return *code;
  if (options.list) return list_all();
  const auto scenarios = chosen(options.names);
  if (!scenarios) return kUsage;
  if (const auto code = cannot_run()) return *code;
  if (options.tapio.empty()) options.tapio = beside_this("tapio");
  return play_all(*scenarios, options);
}

}  // namespace
}  // namespace tapio

int main(int argc, char** argv) {
  try {
    return tapio::demo(argc, argv);
  } catch (const std::exception& error) {  // of the libraries; none is expected
    std::fprintf(stderr, "tapio_demo: %s\n", error.what());
    return tapio::kWrong;
  }
}
