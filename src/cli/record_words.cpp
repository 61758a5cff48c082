// SPDX-License-Identifier: Apache-2.0
#include "cli/record_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.hpp"
#include "cli/from_json.hpp"
#include "evaluate/words.hpp"

namespace tapio::cli {

namespace {

using serve::Json;

constexpr std::size_t kMaxColumns = 160;  // of what happened
constexpr std::size_t kMaxArgs = 32;
constexpr double kMostSeconds = 9e9;  // that nanoseconds can count

std::string text(const Json& record, std::string_view key) {
  return printable(record[key].text());
}

std::string named(std::string name, std::uint64_t pid) {
  if (pid == 0) return name.empty() ? "the kernel" : name;
  return name.empty() ? fmt::format("pid {}", pid) : fmt::format("{} (pid {})", name, pid);
}

std::string after(const Json& record) {
  const double seconds = record["process.uptime"].number();
  if (!(seconds > 0 && seconds < kMostSeconds)) return {};
  return " after " + in_words(std::chrono::nanoseconds(std::llround(seconds * 1e9)));
}

std::string command_line(const Json& record) {
  std::string out;
  const auto args = record["process.command_args"].items();
  for (std::size_t i = 0; i < std::min(args.size(), kMaxArgs); ++i) {
    if (i > 0) out += ' ';
    append_shell_word(out, args[i].text());
  }
  return printable(out);
}

std::string started(const Json& record) {
  return fmt::format("{} was started by pid {}", actor(record),
                     record["process.parent_pid"].count());
}

std::string executed(const Json& record) {
  return fmt::format("{} runs {}: {}", actor(record), text(record, "process.executable.path"),
                     command_line(record));
}

std::string ended(const Json& record) {
  const auto signal = text(record, "process.exit.signal.name");
  const auto core = record["process.exit.core_dumped"].truth() ? ", with a core dump" : "";
  if (!signal.empty())
    return fmt::format("{} was ended by {}{}{}", actor(record), signal, after(record), core);
  return fmt::format("{} exited with status {}{}", actor(record),
                     record["process.exit.code"].integer(), after(record));
}

std::string sent(const Json& record) {
  const auto target =
      named(text(record, "signal.target.name"), record["signal.target.pid"].count());
  return fmt::format("{} sent {} to {}: {}", actor(record), text(record, "signal.name"), target,
                     text(record, "signal.result"));
}

std::string taken(const Json& record) {
  return fmt::format("{} takes {}: {}", actor(record), text(record, "signal.name"),
                     text(record, "signal.disposition"));
}

std::string missing(const Json& record) {
  const auto count = record["count"].count();
  return fmt::format("{} records are missing: {}, {}",
                     count == 0 ? "some" : fmt::format("{}", count), text(record, "stage"),
                     text(record, "reason"));
}

// Keys of every record, which are told elsewhere.
bool is_common(std::string_view key) {
  constexpr std::array<std::string_view, 14> kCommon = {"type",
                                                        "name",
                                                        "time",
                                                        "id",
                                                        "process.pid",
                                                        "thread.id",
                                                        "process.parent_pid",
                                                        "process.executable.name",
                                                        "process.executable.path",
                                                        "tapio.process.id",
                                                        "tapio.cgroup.id",
                                                        "tapio.class",
                                                        "tapio.late",
                                                        "evidence"};
  return std::ranges::find(kCommon, key) != kCommon.end();
}

std::string shown(const Json& value) {
  if (value.is_text()) return printable(value.text());
  if (std::holds_alternative<bool>(value.value)) return value.truth() ? "true" : "false";
  if (value.is_list()) return fmt::format("[{}]", value.items().size());
  if (std::holds_alternative<double>(value.value)) return fmt::format("{}", value.number());
  return value.integer() < 0 ? fmt::format("{}", value.integer())
                             : fmt::format("{}", value.count());
}

// Of a record that nobody has taught us.
std::string details(const Json& record) {
  std::string out = actor(record) + ":";
  for (const auto& member : record.members())
    if (!is_common(member.key) && !member.value.is_null())
      out += fmt::format(" {}={}", printable(member.key), shown(member.value));
  return out;
}

struct Words {
  std::string_view name;
  std::string (*say)(const Json&);
};
constexpr std::array<Words, 7> kWords = {{{"process.fork", started},
                                          {"process.exec", executed},
                                          {"process.exit", ended},
                                          {"process.death", ended},
                                          {"process.signal", sent},
                                          {"process.signal.delivery", taken},
                                          {"gap", missing}}};

}  // namespace

std::string shortened(std::string_view text, std::size_t columns_allowed) {
  if (columns(text) <= columns_allowed) return std::string(text);
  std::string out;
  for (std::size_t taken = 0; taken + 1 < columns_allowed; ++taken) {
    const auto length = std::max<std::size_t>(utf8_length(text), 1);
    out += text.substr(0, length);
    text.remove_prefix(length);
  }
  return out + "…";
}

std::string actor(const Json& record) {
  return named(text(record, "process.executable.name"), record["process.pid"].count());
}

std::string what_happened(const Json& record) {
  for (const std::string_view key : {"title", "summary"})  // of stories and findings
    if (const auto said = text(record, key); !said.empty()) return shortened(said, kMaxColumns);
  const auto words = std::ranges::find(kWords, record["name"].text(), &Words::name);
  return shortened(words == kWords.end() ? details(record) : words->say(record), kMaxColumns);
}

std::chrono::nanoseconds time_of(const Json& record) {
  return parse_rfc3339(record["time"].text()).value_or(std::chrono::nanoseconds(0));
}

std::string record_line(const Json& record) {
  return fmt::format("{}  {}  {:<23}  {}", text(record, "id"), text(record, "time"),
                     text(record, "name"), what_happened(record));
}

}  // namespace tapio::cli
