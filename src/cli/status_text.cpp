// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "record/human.hpp"

namespace tapio::cli {

namespace {

using serve::Json;
using Row = std::vector<std::string>;

// Of each list; what is beyond is counted in one line.
constexpr std::size_t kMaxRows = 24;

std::string bytes(const Json& value) {
  std::string out;
  append_human_bytes(out, value.count());
  return out;
}

std::string text(const Json& value) {
  return printable(value.text());
}

std::string count(const Json& value) {
  return fmt::format("{}", value.count());
}

void append_line(std::string& out, const Row& row, const std::vector<std::size_t>& widths) {
  std::string line = " ";
  for (std::size_t i = 0; i < row.size(); ++i) {
    line += ' ' + row[i];
    const std::size_t taken = columns(row[i]);
    if (i + 1 < row.size()) line.append(widths[i] - std::min(widths[i], taken) + 1, ' ');
  }
  line.resize(line.find_last_not_of(' ') + 1);
  out += line + '\n';
}

// Rows under a title if it has one, aligned; nothing at all without rows.
void append_rows(std::string& out, std::string_view title, const std::vector<Row>& rows) {
  if (rows.empty()) return;
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  if (!title.empty()) out.append(title) += '\n';
  for (std::size_t i = 0; i < std::min(rows.size(), kMaxRows); ++i)
    append_line(out, rows[i], widths);
  if (rows.size() > kMaxRows)
    out += fmt::format("  and {} more, see --json\n", rows.size() - kMaxRows);
}

std::vector<Row> rows_of(const Json& list, Row (*row)(const Json&)) {
  std::vector<Row> rows;
  for (const Json& each : list.items()) rows.push_back(row(each));
  return rows;
}

void append_head(std::string& out, const Json& status) {
  std::string uptime;
  append_human(uptime, std::chrono::seconds(std::min<std::uint64_t>(
                           status["uptime_seconds"].count(), 1'000'000'000)));
  out += fmt::format("tapio {}, pid {}, up {}, attached in {:.0f} ms\n", text(status["version"]),
                     status["pid"].count(), uptime, status["start"]["attached_ms"].number());
}

void append_configuration(std::string& out, const Json& configuration) {
  if (!configuration.is_object()) return;
  const std::string file = text(configuration["file"]);
  out += fmt::format("config     {}", file.empty() ? "defaults, no file" : file);
  if (const Json& reload = configuration["reload"]; reload.is_object())
    out += fmt::format("; reload at {}: {}", text(reload["time"]), text(reload["summary"]));
  out += '\n';
}

void append_memory(std::string& out, const Json& memory) {
  if (!memory.is_object()) return;
  out += fmt::format("memory     {} resident, {} rings, {} maps\n", bytes(memory["rss_bytes"]),
                     bytes(memory["ring_bytes"]), bytes(memory["map_bytes"]));
}

std::string share(const Json& value) {
  return fmt::format("{:.2f} %", 100 * value.number());
}

double sum(const Json& list, std::string_view key) {
  double sum = 0;
  for (const Json& each : list.items()) sum += each[key].number();
  return sum;
}

// Shares are of one CPU.
void append_cost(std::string& out, const Json& cost) {
  if (!cost.is_object()) return;
  const Json& observers = cost["observers"];
  const std::string fault = text(cost["fault"]);
  out += fmt::format(
      "cost       {:.1f} s of CPU; of one lately {:.2f} % in observers and {} in programs\n",
      cost["cpu_ms"].number() / 1e3, 100 * sum(observers, "user_share"),
      fault.empty() ? fmt::format("{:.2f} %", 100 * sum(observers, "kernel_share"))
                    : "? % (" + fault + ")");
}

// Nothing where there is none.
void append_budget(std::string& out, const Json& budget) {
  const double cpu = budget["cpu"].number();
  const bool of_memory = budget["memory_bytes"].count() != 0;
  if (cpu <= 0 && !of_memory) return;
  std::string line;
  if (cpu > 0)
    line +=
        fmt::format("{:.1f} % of a CPU of {:.0f} %", 100 * budget["cpu_used"].number(), 100 * cpu);
  if (of_memory)
    line += fmt::format("{}{} of {}", line.empty() ? "" : ", ", bytes(budget["memory_used_bytes"]),
                        bytes(budget["memory_bytes"]));
  const std::string spares = text(budget["spares"]);
  out += fmt::format("budget     {}{}{}\n", line, spares.empty() ? "" : "; ", spares);
}

std::vector<Row> cost_rows(const Json& cost) {
  const bool known = text(cost["fault"]).empty();
  std::vector<Row> rows;
  for (const Json& each : cost["observers"].items())
    rows.push_back({text(each["name"]), share(each["user_share"]),
                    known ? share(each["kernel_share"]) : "?", bytes(each["map_bytes"]),
                    bytes(each["ring_bytes"])});
  if (!rows.empty()) rows.insert(rows.begin(), {"OBSERVER", "AGENT", "PROGRAMS", "MAPS", "RING"});
  return rows;
}

// Those that ran, the dearest first.
std::vector<Row> program_rows(const Json& programs) {
  std::vector<const Json*> ran;
  for (const Json& each : programs.items())
    if (each["ns_per_run"].number() > 0) ran.push_back(&each);
  std::ranges::stable_sort(ran, std::greater(),
                           [](const Json* each) { return (*each)["kernel_us"].number(); });
  std::vector<Row> rows;
  for (const Json* each : ran)
    rows.push_back({fmt::format("{}.{}", text((*each)["observer"]), text((*each)["program"])),
                    fmt::format("{:.0f}", (*each)["ns_per_run"].number()),
                    fmt::format("{:.1f}", (*each)["runs_per_second"].number()),
                    share((*each)["kernel_share"])});
  if (!rows.empty()) rows.insert(rows.begin(), {"PROGRAM", "NS/RUN", "RUNS/S", "CPU"});
  return rows;
}

void append_btf(std::string& out, const Json& btf) {
  if (!btf.is_object()) return;
  const auto path = text(btf["path"]), trouble = text(btf["trouble"]);
  out += fmt::format("btf        {}{}{}{}\n", path.empty() ? "none" : path,
                     trouble.empty() ? "" : ", because ", trouble,
                     path.empty() ? "; `tapio doctor` says what to do" : "");
}

void append_missing(std::string& out, const Json& missing) {
  for (const Json& sentence : missing.items())
    out += fmt::format("missing    {}\n", text(sentence));
}

void append_known(std::string& out, const Json& status) {
  if (const Json& processes = status["processes"]; processes.is_object())
    out += fmt::format("processes  {} live, {} exited and remembered\n", processes["live"].count(),
                       processes["exited"].count());
  if (const Json& stories = status["stories"]; stories.is_object())
    out += fmt::format("stories    {} told, {} suppressed\n", stories["told"].count(),
                       stories["suppressed"].count());
}

void append_ledger(std::string& out, const Json& status) {
  const Json& ledger = status["ledger"];
  if (!ledger.is_object()) return;
  const auto residue = ledger["residue"].integer();
  out += fmt::format("ledger     residue {}{}\n", residue,
                     residue == 0 ? "" : ": something is lost and not accounted for");
  std::vector<Row> rows;
  for (const Json& row : ledger["rows"].items())
    rows.push_back({fmt::format("{}.{}", text(row["observer"]), text(row["hook"])),
                    count(row["entered"]), count(row["filtered"]), count(row["wanted"]),
                    count(row["emitted"]), count(row["read"])});
  if (!rows.empty())
    rows.insert(rows.begin(), {"HOOK", "ENTERED", "FILTERED", "WANTED", "EMITTED", "READ"});
  append_rows(out, "", rows);
}

Row observer_row(const Json& observer) {
  return {text(observer["name"]), text(observer["state"]), text(observer["reason"])};
}

// Those that counted something.
std::vector<Row> counter_rows(const Json& observers) {
  std::vector<Row> rows;
  for (const Json& observer : observers.items())
    for (const auto& [name, value] : observer["counters"].members())
      if (value.count() != 0)
        rows.push_back(
            {fmt::format("{}.{}", text(observer["name"]), printable(name)), count(value)});
  return rows;
}

Row hook_row(const Json& hook) {
  const std::string program = text(hook["program"]);
  return {fmt::format("{}.{}", text(hook["observer"]), text(hook["name"])),
          program.empty() ? "off" : program, text(hook["canary"]), text(hook["reason"])};
}

Row loss_row(const Json& loss) {
  return {count(loss["count"]), text(loss["observer"]), text(loss["class"]), text(loss["stage"]),
          text(loss["reason"])};
}

Row sink_row(const Json& sink) {
  std::string line =
      fmt::format("{} sent of {}, {} dropped, {} pending", sink["sent"].count(),
                  sink["offered"].count(), sink["dropped"].count(), sink["pending"].count());
  if (sink["kept"].count() > 0) line += fmt::format(" ({} of them kept)", sink["kept"].count());
  return {text(sink["name"]), line};
}

}  // namespace

std::string status_text(const Json& status) {
  std::string out;
  append_head(out, status);
  append_configuration(out, status["configuration"]);
  append_memory(out, status["memory"]);
  append_cost(out, status["cost"]);
  append_budget(out, status["budget"]);
  append_missing(out, status["start"]["missing"]);
  append_known(out, status);
  append_btf(out, status["btf"]);
  append_rows(out, "observers", rows_of(status["observers"], observer_row));
  append_rows(out, "counters", counter_rows(status["observers"]));
  append_rows(out, "cost, of a CPU", cost_rows(status["cost"]));
  append_rows(out, "", program_rows(status["cost"]["programs"]));
  append_rows(out, "hooks", rows_of(status["hooks"], hook_row));
  append_ledger(out, status);
  if (status["loss"].items().empty())
    out += "lost       nothing\n";
  else
    append_rows(out, "lost", rows_of(status["loss"], loss_row));
  append_rows(out, "sinks", rows_of(status["sinks"], sink_row));
  return out;
}

}  // namespace tapio::cli
