// SPDX-License-Identifier: Apache-2.0
#include "serve/metrics.hpp"

#include <fmt/format.h>

#include <array>

#include "base/text.hpp"

namespace tapio::serve {

namespace {

using enum Exposition::Kind;

// One number of the status that is a metric without labels.
struct Single {
  std::string_view name;
  Exposition::Kind kind;
  std::string_view help;
  std::string_view object, key;  // "": of the status itself
  double unit = 1;
};

constexpr std::array<Single, 37> kSingles = {{
    {"tapio_uptime_seconds", gauge, "Since the agent started.", "", "uptime_seconds"},
    {"tapio_cpu_seconds_total", counter, "CPU time of the agent, without its programs.", "cost",
     "cpu_ms", 1e-3},
    {"tapio_resident_memory_bytes", gauge, "Memory of the agent.", "memory", "rss_bytes"},
    {"tapio_ring_memory_bytes", gauge, "Memory of the buffers between kernel and agent.", "memory",
     "ring_bytes"},
    {"tapio_map_memory_bytes", gauge, "Memory of BPF maps.", "memory", "map_bytes"},
    {"tapio_ledger_residue", gauge, "Events that the ledger cannot account for; 0 is right.",
     "ledger", "residue"},
    {"tapio_malformed_headers_total", counter, "Samples that nobody knows.", "ledger",
     "malformed_headers"},
    {"tapio_stories_told_total", counter, "Stories told.", "stories", "told"},
    {"tapio_stories_suppressed_total", counter, "Stories beyond what is told in a second.",
     "stories", "suppressed"},
    {"tapio_processes_live", gauge, "Processes that are known and live.", "processes", "live"},
    {"tapio_processes_exited", gauge, "Processes that are known and have ended.", "processes",
     "exited"},
    {"tapio_processes_evicted_total", counter, "Processes forgotten for lack of room.", "processes",
     "evicted"},
    {"tapio_processes_text_bytes", gauge, "Text of the process table.", "processes", "text_bytes"},
    {"tapio_cgroups_live", gauge, "Cgroups that are known and there.", "cgroups", "live"},
    {"tapio_cgroups_removed", gauge, "Cgroups that are known and removed.", "cgroups", "removed"},
    {"tapio_cgroups_evicted_total", counter, "Cgroups forgotten for lack of room.", "cgroups",
     "evicted"},
    {"tapio_containers_described", gauge, "Containers whose names are known.", "containers",
     "described"},
    {"tapio_containers_awaited", gauge, "Containers whose runtime was asked for their names.",
     "containers", "awaited"},
    {"tapio_containers_evicted_total", counter, "Containers forgotten for lack of room.",
     "containers", "evicted"},
    {"tapio_batches_held_total", counter, "Batches of records that waited for such names.",
     "containers", "batches_held"},
    {"tapio_batches_unnamed_total", counter, "Of these, those that went without them.",
     "containers", "batches_unnamed"},
    {"tapio_reserve_records", gauge, "Withheld records that are kept as possible evidence.",
     "reserve", "kept"},
    {"tapio_reserve_bytes", gauge, "Memory of these.", "reserve", "bytes"},
    {"tapio_reserve_released_total", counter, "Those handed out, because a story rests on them.",
     "reserve", "released"},
    {"tapio_reserve_forgotten_total", counter, "Those forgotten for lack of room.", "reserve",
     "forgotten"},
    {"tapio_budget_cpu", gauge, "Of one CPU, what the agent and its programs may take; 0: any.",
     "budget", "cpu"},
    {"tapio_budget_cpu_used", gauge, "Of one CPU, what they took in the last second.", "budget",
     "cpu_used"},
    {"tapio_budget_memory_bytes", gauge, "Memory that the agent may take; 0: any.", "budget",
     "memory_bytes"},
    {"tapio_budget_memory_used_bytes", gauge, "Resident memory, rings and maps.", "budget",
     "memory_used_bytes"},
    {"tapio_redacted_total", counter, "Secrets replaced.", "redaction", "replaced"},
    {"tapio_http_requests_total", counter, "Requests answered over HTTP.", "http", "requests"},
    {"tapio_http_refused_total", counter,
     "Requests refused, and connections closed that were late or one too many.", "http", "refused"},
    {"tapio_http_connections", gauge, "Connections over HTTP.", "http", "clients"},
    {"tapio_http_streams", gauge, "Of these, readers of events.", "http", "streams"},
    {"tapio_http_stream_records_total", counter, "Records handed to readers of events.", "http",
     "lines"},
    {"tapio_http_stream_dropped_total", counter, "Records that a reader of events missed.", "http",
     "dropped"},
    {"tapio_http_missed_total", counter, "Records that found no room on their way to HTTP.", "http",
     "missed"},
}};

const Json& in(const Json& status, std::string_view object) {
  return object.empty() ? status : status[object];
}

void append_singles(Exposition& out, const Json& status) {
  for (const Single& one : kSingles) {
    const Json& value = in(status, one.object)[one.key];
    if (!value.is_number()) continue;
    out.family(one.name, one.kind, one.help);
    out.sample("", value.number() * one.unit);
  }
}

void append_observers(Exposition& out, const Json& observers) {
  out.family("tapio_observer_health", gauge, "1 for how well an observer is, 0 for the others.");
  for (const Json& observer : observers.items())
    for (const std::string_view health : {"healthy", "degraded", "unhealthy", "off"})
      out.sample({{"observer", observer["name"].text()}, {"health", health}},
                 observer["health"].text() == health ? 1 : 0);
  // Some only grow, some go up and down: a gauge may do both.
  out.family("tapio_observer_figure", gauge, "What an observer counts by itself; see its page.");
  for (const Json& observer : observers.items())
    for (const auto& [figure, value] : observer["counters"].members())
      if (value.is_number())
        out.sample({{"observer", observer["name"].text()}, {"figure", figure}}, value.number());
}

// Of each hook, without the classes.
void append_hooks(Exposition& out, const Json& rows) {
  struct Column {
    std::string_view name, key, help;
  };
  constexpr std::array<Column, 4> kColumns = {{
      {"tapio_hook_entered_total", "entered", "Runs of the programs of a hook."},
      {"tapio_hook_filtered_total", "filtered", "Of these, events that nobody asked for."},
      {"tapio_hook_missed_total", "missed", "Runs that the kernel left out."},
      {"tapio_hook_read_faults_total", "read_faults", "Reads of memory that failed in programs."},
  }};
  for (const Column& column : kColumns) {
    out.family(column.name, counter, column.help);
    for (const Json& row : rows.items())
      out.sample({{"observer", row["observer"].text()}, {"hook", row["hook"].text()}},
                 row[column.key].number());
  }
}

// What became of the events that were wanted: whatever the status has beside names.
void append_outcomes(Exposition& out, const Json& classes) {
  out.family("tapio_events_total", counter, "Events that were wanted, by what became of them.");
  for (const Json& row : classes.items())
    for (const auto& [key, value] : row.members())
      if (value.is_number() && key != "wanted")
        out.sample({{"observer", row["observer"].text()},
                    {"hook", row["hook"].text()},
                    {"class", row["class"].text()},
                    {"outcome", key}},
                   value.number());
}

void append_records(Exposition& out, const Json& observers) {
  out.family("tapio_records_total", counter, "Records made, by what became of them.");
  for (const Json& observer : observers.items())
    for (const auto& [event_class, counts] : observer["records"].members())
      for (const auto& [outcome, value] : counts.members())
        out.sample(
            {{"observer", observer["name"].text()}, {"class", event_class}, {"outcome", outcome}},
            value.number());
}

void append_samples(Exposition& out, const Json& observers) {
  struct Column {
    std::string_view name, key, help;
  };
  constexpr std::array<Column, 5> kColumns = {{
      {"tapio_samples_read_total", "read", "Samples read from the kernel."},
      {"tapio_samples_handled_total", "handled", "Samples worked on."},
      {"tapio_samples_malformed_total", "malformed", "Samples that could not be read."},
      {"tapio_samples_late_total", "late", "Samples that came after newer ones were worked on."},
      {"tapio_long_calls_total", "long_calls", "Calls of an observer that took over 10 ms."},
  }};
  for (const Column& column : kColumns) {
    out.family(column.name, counter, column.help);
    for (const Json& observer : observers.items())
      out.sample({{"observer", observer["name"].text()}}, observer[column.key].number());
  }
}

// What the kernel side costs is not there while it is not known.
void append_costs(Exposition& out, const Json& cost) {
  const bool known = cost["fault"].text().empty();
  const Json &observers = cost["observers"], &programs = cost["programs"];
  out.family(
      "tapio_observer_cpu_seconds_total", counter,
      "CPU time of an observer, in the kernel and in the agent, as it is measured one second "
      "in ten.");
  for (const Json& each : observers.items())
    for (const std::string_view side : {"kernel", "user"})
      if (known || side == "user")
        out.sample({{"observer", each["name"].text()}, {"side", side}},
                   each[std::string(side) + "_us"].number() * 1e-6);
  for (const std::string_view what : {"map", "ring"}) {
    out.family(fmt::format("tapio_observer_{}_bytes", what), gauge,
               what == "map" ? "Memory of the maps of an observer." : "Of its ring.");
    for (const Json& each : observers.items())
      out.sample({{"observer", each["name"].text()}}, each[std::string(what) + "_bytes"].number());
  }
  struct Column {
    std::string_view name, key, help;
    Exposition::Kind kind;
    double unit;
  };
  constexpr std::array<Column, 3> kColumns = {{
      {"tapio_program_cpu_seconds_total", "kernel_us", "CPU time of a program.", counter, 1e-6},
      {"tapio_program_runs_per_second", "runs_per_second", "Its runs.", gauge, 1},
      {"tapio_program_run_seconds", "ns_per_run", "CPU time of one of these.", gauge, 1e-9},
  }};
  for (const Column& column : kColumns) {
    out.family(column.name, column.kind, column.help);
    for (const Json& each : programs.items())
      if (known)
        out.sample({{"observer", each["observer"].text()}, {"program", each["program"].text()}},
                   each[column.key].number() * column.unit);
  }
  out.family("tapio_thread_cpu_seconds_total", counter, "CPU time of the agent's threads.");
  for (const Json& each : cost["threads"].items())
    out.sample({{"thread", each["name"].text()}}, each["user_us"].number() * 1e-6);
}

void append_budget(Exposition& out, const Json& budget) {
  out.family("tapio_budget_step", gauge,
             "1, with what is spared to hold the budget; full: nothing.");
  if (budget.is_object()) out.sample({{"step", budget["step"].text()}}, 1);
}

void append_losses(Exposition& out, const Json& losses) {
  out.family("tapio_lost_total", counter, "What was dropped, where and why; as gap records say.");
  for (const Json& loss : losses.items())
    out.sample({{"observer", loss["observer"].text()},
                {"class", loss["class"].text()},
                {"stage", loss["stage"].text()},
                {"reason", loss["reason"].text()}},
               loss["count"].number());
}

void append_sinks(Exposition& out, const Json& sinks) {
  struct Column {
    std::string_view name, key, help;
    Exposition::Kind kind;
  };
  constexpr std::array<Column, 5> kColumns = {{
      {"tapio_sink_offered_total", "offered", "Records offered to a sink.", counter},
      {"tapio_sink_sent_total", "sent", "Records that it took.", counter},
      {"tapio_sink_dropped_total", "dropped", "Records that it did not take.", counter},
      {"tapio_sink_pending", "pending", "Records that wait for it.", gauge},
      {"tapio_sink_kept", "kept", "Of these, what it keeps until its receiver takes it.", gauge},
  }};
  for (const Column& column : kColumns) {
    out.family(column.name, column.kind, column.help);
    for (const Json& sink : sinks.items())
      out.sample({{"sink", sink["name"].text()}}, sink[column.key].number());
  }
}

}  // namespace

void Exposition::family(std::string_view name, Kind kind, std::string_view help) {
  family_ = name;
  fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help,
                 kind == counter ? "counter" : "gauge");
}

void Exposition::sample(std::initializer_list<Label> labels, double value) {
  std::string text;
  for (const auto& [name, label] : labels) append_label(text, name, label);
  sample(text, value);
}

void Exposition::sample(std::string_view labels, double value) {
  text_ += family_;
  if (!labels.empty()) text_.append("{").append(labels) += '}';
  fmt::format_to(std::back_inserter(text_), " {}\n", value);
}

void append_label(std::string& labels, std::string_view name, std::string_view value) {
  if (!labels.empty()) labels += ',';
  labels.append(name) += "=\"";
  for (const char c : printable(value.substr(0, kMaxLabelBytes))) {
    if (c == '"' || c == '\\') labels += '\\';
    labels += c;
  }
  labels += '"';
}

std::string metric_word(std::string_view name) {
  std::string word(name);
  for (char& c : word) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    if (!fits) c = '_';
  }
  return word;
}

void append_status(Exposition& out, const Json& status) {
  out.family("tapio_build_info", gauge, "1, with the version of the agent.");
  out.sample({{"version", status["version"].text()}}, 1);
  append_singles(out, status);
  append_observers(out, status["observers"]);
  append_hooks(out, status["ledger"]["rows"]);
  append_outcomes(out, status["ledger"]["classes"]);
  append_samples(out, status["ledger"]["observers"]);
  append_records(out, status["ledger"]["observers"]);
  append_costs(out, status["cost"]);
  append_budget(out, status["budget"]);
  append_losses(out, status["loss"]);
  append_sinks(out, status["sinks"]);
}

}  // namespace tapio::serve
