// SPDX-License-Identifier: Apache-2.0
#include "agent/commands.hpp"

#include <fmt/format.h>

#include <atomic>
#include <csignal>

#include "agent/configuration.hpp"
#include "agent/node.hpp"
#include "agent/privileges.hpp"
#include "agent/terminal.hpp"
#include "base/log.hpp"
#include "cli/printer.hpp"
#include "version.hpp"

namespace tapio::agent {

namespace {

std::atomic<bool> g_told_to_stop = false;

void stop_on_signals() {
  struct sigaction action{};
  action.sa_handler = [](int) { g_told_to_stop = true; };
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // a sink whose reader has gone is a fault of that sink
}

std::function<bool()> until(const std::optional<std::chrono::milliseconds>& duration) {
  const auto end = duration ? monotonic_now() + *duration : MonotonicTime::max();
  return [end] { return g_told_to_stop || monotonic_now() >= end; };
}

void configure_log(const config::Tree& configuration) {
  const auto& config = configuration.at("log").as<LogConfig>();
  log::configure(config.level, config.format);
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
  for (const auto& hook : node.hooks())
    if (hook.canary == "not seen")
      log::warning("hook {} of {} is attached and did not see its canary: it may be blind",
                   hook.hook, hook.observer);
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

Status Commands::run(const cli::RunOptions& options) {
  stop_on_signals();
  configure_log(options.configuration);
  TRY(check_privileges());
  NodeOptions node_options{.configuration = options.configuration,
                           .socket = options.socket,
                           .canary_song = own_canary()};
  if (options.format == cli::Format::json)
    node_options.sinks.emplace_back("stdout", std::make_unique<JsonLines>());
  else
    node_options.sinks.emplace_back("stdout", std::make_unique<StoryLines>());
  auto node = TRY(Node::start(std::move(node_options)));
  report(*node, options.socket);
  TRY(check_observers(*node));
  node->run(until(options.duration));
  node->finish();
  return {};
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
