// SPDX-License-Identifier: Apache-2.0
#include "agent/commands.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <ctime>

#include "agent/configuration.hpp"
#include "agent/node.hpp"
#include "agent/privileges.hpp"
#include "agent/replay.hpp"
#include "agent/service_manager.hpp"
#include "agent/terminal.hpp"
#include "base/fd.hpp"
#include "base/log.hpp"
#include "cli/out.hpp"
#include "cli/printer.hpp"
#include "version.hpp"

namespace tapio::agent {

namespace {

std::atomic<bool> g_told_to_stop = false;
std::atomic<bool> g_hung_up = false;  // SIGHUP

void stop_on_signals() {
  struct sigaction action{};
  action.sa_handler = [](int) { g_told_to_stop = true; };
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // a sink whose reader has gone is a fault of that sink
}

// Also the terminal hangs up on a program that it started: then there is none any more.
bool has_terminal() {
  return static_cast<bool>(Fd(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)));
}

void reload_on_sighup() {
  struct sigaction action{};
  action.sa_handler = [](int) { g_hung_up = true; };
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGHUP, &action, nullptr);
}

// Stops when its terminal is gone, else reloads.
void attend_hang_up(Node& node, bool began_on_terminal) {
  if (!g_hung_up.exchange(false)) return;
  if (began_on_terminal && !has_terminal())
    g_told_to_stop = true;
  else
    node.reload();
}

std::function<bool()> until(const std::optional<std::chrono::milliseconds>& duration) {
  const auto end = duration ? monotonic_now() + *duration : MonotonicTime::max();
  return [end] { return g_told_to_stop || monotonic_now() >= end; };
}

// The first fault of an observer is the answer when none is on.
Status check_observers(const Node& node) {
  if (node.any_observer_on()) return {};
  if (auto fault = node.first_fault()) {
    fault->what += "; `tapio doctor` says more";
    return std::unexpected(std::move(*fault));
  }
  return invalid("every observer is switched off: enable one in the configuration");
}

// The answer would be silence, which means that nothing happens, when no observer that was asked
// for is on.
Status check_wanted(const Node& node, const config::Tree& configuration) {
  std::optional<Error> fault;
  for (const auto& [name, state, reason] : node.observer_states()) {
    if (!is_enabled(configuration.at("observers." + std::string(name)))) continue;
    if (state == "on") return {};
    fault =
        Error{state == "denied" ? Fault::denied : Fault::unsupported,
              fmt::format("observer {} is {}: {}; `tapio doctor` says more", name, state, reason)};
  }
  return fault ? std::unexpected(std::move(*fault)) : Status{};
}

void report(Node& node, const std::string& socket) {
  log::info("tapio {} on {}", kVersion, socket);
  for (const auto& line : node.report()) log::info("{}", line);
  if (node.btf().path.empty())
    log::warning("no program can be loaded without BTF; what needs none goes on. {}. To do: {}",
                 node.btf().trouble, capture::kBtfAdvice);
  for (const auto& hook : node.hooks())
    if (hook.canary == "not seen")
      log::warning("hook {} of {} is attached and did not see its canary: it may be blind",
                   hook.hook, hook.observer);
}

Result<std::unique_ptr<replay::Recorder>> open_recorder(const cli::RunOptions& options) {
  if (!options.recording) return nullptr;
  const auto& [file, replace, max_bytes] = *options.recording;
  if (!options.configuration.at("redact").as<RedactConfig>().enabled)
    log::warning("redact.enabled is false: {} will hold secrets as they are", file);
  return replay::Recorder::create(
      file, replace ? replay::Existing::replace : replay::Existing::refuse, max_bytes);
}

Status finish_recording(replay::Recorder& recorder, const cli::Recording& recording) {
  const bool full = recorder.full();
  TRY(recorder.finish());
  log::info("recorded to {}: {} bytes{}", recording.file, recorder.bytes(),
            full ? "; it ended because it was full, see --max-bytes" : "");
  return {};
}

// Of this process; on a busy machine the clock on the wall says less.
std::chrono::nanoseconds cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// What came out of a recording, and how fast.
class Played {
 public:
  void count(const Batch& batch) {
    records_ += batch.records.size();
    for (const Record& record : batch.records) stories_ += record.schema->kind == Kind::story;
  }
  void tell(const Replay& replay) const {
    const std::chrono::duration<double> took = monotonic_now() - began_;
    const std::chrono::duration<double> on_cpu = cpu_time() - cpu_began_;
    const auto events = static_cast<double>(replay.samples());
    cli::note(fmt::format("{} events in {:.3f} s: {:.0f} events/s; {} records, {} of them stories",
                          replay.samples(), took.count(), events / took.count(), records_,
                          stories_));
    cli::note(fmt::format("{:.3f} s on a CPU: {:.0f} events/s, {:.0f} ns/event", on_cpu.count(),
                          events / on_cpu.count(), events > 0 ? on_cpu.count() * 1e9 / events : 0));
  }

 private:
  MonotonicTime began_ = monotonic_now();
  std::chrono::nanoseconds cpu_began_ = cpu_time();
  std::uint64_t records_ = 0, stories_ = 0;
};

void warn_about(const Replay& replay) {
  const auto& header = replay.player().header();
  if (header.version != kVersion)
    cli::note(fmt::format("recorded by tapio {} and played by {}: records may differ",
                          header.version, kVersion));
  if (replay.malformed() > 0)
    cli::note(fmt::format("{} events could not be read", replay.malformed()));
  if (replay.player().end() == replay::End::full)
    cli::note("the recording ended because it was full");
}

}  // namespace

std::string Commands::version() const {
  return std::string(kVersion);
}

config::Tree Commands::configuration() const {
  return agent::configuration();
}

std::string Commands::socket(const config::Tree& configuration) const {
  return configuration.at("agent").as<AgentConfig>().socket;
}

Status Commands::check(const config::Tree& configuration) const {
  const auto& path = configuration.at("btf").as<BtfConfig>().path;
  if (path.empty()) return {};
  capture::log_at_debug_level();
  const auto types = capture::open_btf(path);
  if (!types) return std::unexpected(Error(types.error()).within("btf.path"));
  return {};
}

Status Commands::run(const cli::RunOptions& options) {
  ::mallopt(M_ARENA_MAX, 1);  // else each thread keeps memory that it has let go of to itself
  stop_on_signals();
  reload_on_sighup();
  const bool on_terminal = has_terminal();
  configure_log(options.configuration);
  TRY(check_privileges());
  NodeOptions node_options{.configuration = options.configuration,
                           .socket = options.socket,
                           .configured_sinks = options.sinks,
                           .canary_song = own_canary(),
                           .file = options.file,
                           .reread = options.reread,
                           .recorder = TRY(open_recorder(options))};
  if (options.format == cli::Format::json)
    node_options.sinks.emplace_back("stdout", std::make_unique<JsonLines>());
  else
    node_options.sinks.emplace_back("stdout", std::make_unique<StoryLines>());
  auto node = TRY(Node::start(std::move(node_options)));
  report(*node, options.socket);
  TRY(check_observers(*node));
  auto manager = ServiceManager::from_environment();
  manager.ready();
  node->run([&, stop = until(options.duration), recorder = node->recorder()] {
    manager.alive(monotonic_now());
    attend_hang_up(*node, on_terminal);
    return stop() || (recorder && (recorder->full() || !recorder->state()));
  });
  manager.stopping();
  node->finish();
  return options.recording ? finish_recording(*node->recorder(), *options.recording) : Status{};
}

Status Commands::replay(const cli::ReplayOptions& options) {
  stop_on_signals();
  auto player = replay::Player::open(options.file);
  if (!player) return std::unexpected(std::move(player.error()).within(options.file));
  JsonLines out;
  Status written;
  Played played;
  auto replay = Replay::open(std::move(*player), configuration(),
                             [&](const std::shared_ptr<const Batch>& batch) {
                               played.count(*batch);
                               if (!options.quiet && written) written = out.write(*batch);
                             });
  if (!replay) return std::unexpected(std::move(replay.error()).within(options.file));
  auto done = (*replay)->run([&] { return g_told_to_stop || !written || out.gone(); });
  if (options.stats) played.tell(**replay);
  warn_about(**replay);
  if (!done) return std::unexpected(std::move(done.error()).within(options.file));
  return written;
}

Status Commands::trace(const cli::TraceOptions& options) {
  stop_on_signals();
  configure_log(options.configuration);
  TRY(check_privileges());
  std::atomic<bool> enough = false;
  NodeOptions node_options{.configuration = options.configuration,
                           .socket = "",
                           .configured_sinks = false,
                           .canary_song = own_canary()};
  node_options.sinks.emplace_back("terminal", std::make_unique<Printed>(options, enough));
  auto node = TRY(Node::start(std::move(node_options)));
  TRY(check_observers(*node));
  TRY(check_wanted(*node, options.configuration));
  node->run([&enough, stop = until(options.duration)] { return enough || stop(); });
  node->finish();
  return {};
}

}  // namespace tapio::agent
