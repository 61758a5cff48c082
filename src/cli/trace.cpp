// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.hpp"
#include "cli/follow.hpp"
#include "cli/from_json.hpp"
#include "cli/load.hpp"
#include "cli/out.hpp"
#include "cli/printer.hpp"
#include "cli/targets.hpp"
#include "record/gap.hpp"

namespace tapio::cli {

namespace {

using Schemas = std::span<const Schema* const>;
using Observers = std::span<const Descriptor* const>;

// Of what comes out of from_json.hpp: all time is wall time.
constexpr Clocks kWall{};

constexpr std::string_view kPid = "pid";
constexpr std::string_view kUid = "process.user.id";
constexpr std::string_view kComm = "process.executable.name";
constexpr std::string_view kCgroup = "tapio.cgroup.id";
constexpr std::string_view kSignal = "signal.number";

bool is_wanted(const Descriptor& observer, Schemas schemas) {
  return std::ranges::any_of(observer.schemas, [&](const Schema* schema) {
    return std::ranges::find(schemas, schema) != schemas.end();
  });
}

void add(std::vector<Where>& where, std::string_view key, const auto& number) {
  where.push_back({.key = std::string(key), .values = {fmt::format("{}", number)}});
}

// What is never left to the kernel: it knows no pid, and a mask of signals says nothing of forks.
std::vector<Where> always_here(const Arguments& arguments) {
  const Filter& filter = arguments.filter;
  std::vector<Where> where = arguments.where;
  if (filter.pid) add(where, kPid, *filter.pid);
  if (!filter.signals.empty()) {
    Where signals{.key = std::string(kSignal), .values = {}};
    for (const auto signal : filter.signals) signals.values.push_back(fmt::format("{}", signal));
    where.push_back(std::move(signals));
  }
  return where;
}

std::vector<Where> all_here(const Arguments& arguments) {
  const Filter& filter = arguments.filter;
  std::vector<Where> where = always_here(arguments);
  if (filter.uid) add(where, kUid, *filter.uid);
  if (filter.comm) add(where, kComm, *filter.comm);
  if (filter.cgroup) add(where, kCgroup, *filter.cgroup);
  return where;
}

// What observers call the filters that their programs know.
struct KernelFilter {
  std::string_view option, setting;
  std::optional<std::string> value;
  std::string_view key;  // of a Where that does the same; "": nothing does
};

std::vector<KernelFilter> kernel_filters(const Filter& filter) {
  const auto text = [](const auto& value) -> std::optional<std::string> {
    if (!value) return std::nullopt;
    return fmt::format("{}", *value);
  };
  std::optional<std::string> container, signals;
  if (filter.container) container = "true";
  if (!filter.signals.empty()) signals = fmt::format("{}", fmt::join(filter.signals, ","));
  return {{"--uid", "filter.uid", text(filter.uid), kUid},
          {"--comm", "filter.comm", text(filter.comm), kComm},
          {"--cgroup", "filter.cgroup", text(filter.cgroup), kCgroup},
          {"--container", "filter.container_only", container, ""},
          {"--signal", "signals", signals, kSignal}};
}

bool has_setting(const config::Tree& tree, const std::string& path, std::string_view setting) {
  if (!tree.contains(path)) return false;
  const auto settings = tree.at(path).settings();
  return std::ranges::find(settings, setting, &config::SettingInfo::name) != settings.end();
}

Status filter_in_kernel(const Arguments& arguments, TraceOptions& options,
                        const std::string& path) {
  for (const auto& [option, setting, value, key] : kernel_filters(arguments.filter)) {
    if (!value) continue;
    if (has_setting(options.configuration, path, setting)) {
      TRY(set(options.configuration, fmt::format("{}.{}", path, setting), *value));
    } else if (key.empty()) {
      return invalid(fmt::format("{} has no {}; leave it out", path, option));
    } else if (key != kSignal) {
      add(options.where, key, *value);
    }
  }
  return {};
}

// Of an observer in the agent's status; "on" when it says nothing about it.
std::string_view state_of(const serve::Json& status, std::string_view observer) {
  for (const auto& each : status["observers"].items())
    if (each["name"].text() == observer && each["state"].is_text()) return each["state"].text();
  return "on";
}

Exit trace_alone(const Arguments& arguments, Agent& agent, config::Tree tree,
                 std::vector<const Schema*> schemas, Observers observers) {
  const auto options =
      standalone_options(arguments, std::move(tree), std::move(schemas), observers);
  if (!options) return complain(options.error());
  const Status done = agent.trace(*options);
  return done ? Exit::fine : complain(done.error());
}

Status trace_stream(serve::Stream stream, const TraceOptions& options) {
  Printer printer(options);
  std::vector<const Schema*> known = options.schemas;
  known.push_back(&kGap);
  std::uint64_t strange = 0;
  TRY(follow(stream, options.duration,
             {.on_line = [&](std::string_view line) -> Result<bool> {
                const auto batch = record_from_json(line, known);
                if (batch) return printer.add((*batch)->records.front(), kWall, line);
                ++strange;
                return true;
              },
              .on_pause = [&] { return printer.write(); }}));
  if (strange > 0) note(fmt::format("{} records of kinds unknown to this tapio", strange));
  return {};
}

// A stream that can serve; or why not.
Result<serve::Stream> open_stream(const Arguments& arguments, const std::string& socket,
                                  Schemas schemas, Observers observers) {
  const auto status = TRY(serve::ask(socket, {.command = serve::Command::status}));
  const auto why = why_not_streamed(arguments, TRY(serve::parse_json(status)), schemas, observers);
  if (!why.empty()) return fail(Fault::unavailable, why);
  serve::Request request{.command = serve::Command::stream, .names = {}};
  for (const Schema* schema : schemas) request.names.emplace_back(schema->name);
  if (request.names.size() > serve::kMaxNames) request.names.clear();
  return serve::Stream::open(socket, request);
}

}  // namespace

std::string why_not_streamed(const Arguments& arguments, const serve::Json& status, Schemas schemas,
                             Observers observers) {
  const Filter& filter = arguments.filter;
  if (filter.container) return "the agent's records do not say what runs in a container";
  if (!arguments.set.empty()) return "--set changes no running agent";
  for (const Descriptor* observer : observers)
    if (const auto state = state_of(status, observer->name);
        is_wanted(*observer, schemas) && state != "on")
      return fmt::format("the agent's observer {} is {}", observer->name,
                         state == "off" || state == "provider" ? "switched off" : state);
  for (const auto& [option, setting, value, key] : kernel_filters(filter)) {
    if (!value || key == kSignal) continue;
    for (const Schema* schema : schemas)
      if (!may_have(*schema, key))
        return fmt::format("the agent's {} records have no {} for {}", schema->name, key, option);
  }
  return "";
}

Result<TraceOptions> standalone_options(const Arguments& arguments, config::Tree tree,
                                        std::vector<const Schema*> schemas, Observers observers) {
  TraceOptions options{.configuration = std::move(tree),
                       .schemas = std::move(schemas),
                       .where = always_here(arguments),
                       .format = arguments.format,
                       .duration = arguments.duration,
                       .max = arguments.max};
  for (const Descriptor* observer : observers) {
    const std::string path = "observers." + std::string(observer->name);
    const bool wanted = is_wanted(*observer, options.schemas);
    if (has_setting(options.configuration, path, "enabled"))
      TRY(set(options.configuration, path + ".enabled", wanted ? "true" : "false"));
    if (wanted) TRY(filter_in_kernel(arguments, options, path));
  }
  return options;
}

Exit trace(const Arguments& arguments, Agent& agent, Observers observers) {
  auto schemas = resolve(arguments.targets, observers);
  if (!schemas) return complain(schemas.error());
  auto tree = load(agent, arguments.config, arguments.set);
  if (!tree) {
    for (const auto& wrong : tree.error()) complain({Fault::invalid, wrong});
    return Exit::misused;
  }
  const std::string socket = socket_path(agent, arguments.socket, *tree);
  std::string why = "asked by --standalone";
  if (!arguments.standalone) {
    auto stream = open_stream(arguments, socket, *schemas, observers);
    if (stream) {
      note(fmt::format("reading from the agent at {}", socket));
      const TraceOptions options{.configuration = {},
                                 .schemas = *schemas,
                                 .where = all_here(arguments),
                                 .format = arguments.format,
                                 .duration = arguments.duration,
                                 .max = arguments.max};
      const Status done = trace_stream(std::move(*stream), options);
      return done ? Exit::fine : complain(done.error());
    }
    why = stream.error().what;
  }
  note(fmt::format("loading programs of its own: {}", why));
  return trace_alone(arguments, agent, std::move(*tree), std::move(*schemas), observers);
}

}  // namespace tapio::cli
