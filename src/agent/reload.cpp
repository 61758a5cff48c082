// SPDX-License-Identifier: Apache-2.0
#include "agent/reload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/log.hpp"
#include "base/text.hpp"

namespace tapio::agent {

namespace {

constexpr std::size_t kMaxValueBytes = 200;  // of a value in a line; a list may be of any length

std::string_view cut(std::string_view value) {
  if (value.size() <= kMaxValueBytes) return value;
  std::size_t end = 0;
  while (end < kMaxValueBytes) end += std::max<std::size_t>(utf8_length(value.substr(end)), 1);
  return value.substr(0, end);
}

std::string shortened(std::string_view value) {
  const auto head = cut(value);
  return std::string(head) + (head.size() < value.size() ? "..." : "");
}

void append_changes(std::string& out, std::string_view key,
                    const std::vector<config::Change>& changes) {
  fmt::format_to(std::back_inserter(out), R"(,"{}":[)", key);
  for (const config::Change& change : changes) {
    if (out.back() != '[') out += ',';
    out += R"({"setting":)";
    append_json_string(out, change.setting);
    out += R"(,"before":)";
    append_json_string(out, change.before);
    out += R"(,"after":)";
    append_json_string(out, change.after);
    out += '}';
  }
  out += ']';
}

}  // namespace

std::string line_of(const config::Change& change) {
  return fmt::format("{}: {} -> {}", change.setting, shortened(change.before),
                     shortened(change.after));
}

std::string summary_of(const Reload& reload) {
  if (reload.kept)
    return fmt::format("refused, {} thing{} wrong; the old configuration is kept",
                       reload.wrong.size(), reload.wrong.size() == 1 ? " is" : "s are");
  const auto changed = reload.changed.size(), restart = reload.restart.size();
  std::string out = changed == 0
                        ? "nothing changed"
                        : fmt::format("{} setting{} changed", changed, changed == 1 ? "" : "s");
  if (restart > 0) out += fmt::format(", {} need{} a restart", restart, restart == 1 ? "s" : "");
  return out;
}

void log(const Reload& reload) {
  for (const std::string& wrong : reload.wrong) log::error("{}", wrong);
  const auto& file = reload.file.empty() ? "defaults, no file" : reload.file;
  if (reload.kept)
    log::error("configuration ({}): {}", file, summary_of(reload));
  else
    log::info("configuration ({}): {}", file, summary_of(reload));
  for (const auto& change : reload.changed) log::info("  {}", line_of(change));
  for (const auto& change : reload.restart) log::warning("  {} needs a restart", line_of(change));
}

void append_json(std::string& out, const Reload& reload, const Clocks& clocks) {
  out += R"({"file":)";
  append_json_string(out, reload.file);
  out += R"(,"time":")";
  append_rfc3339(out, wall_time(reload.time, clocks));
  out.append(R"(","kept":)").append(reload.kept ? "true" : "false");
  append_changes(out, "changed", reload.changed);
  append_changes(out, "restart", reload.restart);
  out += R"(,"wrong":[)";
  for (const std::string& wrong : reload.wrong) {
    if (out.back() != '[') out += ',';
    append_json_string(out, wrong);
  }
  out += R"(],"summary":)";
  append_json_string(out, summary_of(reload));
  out += '}';
}

}  // namespace tapio::agent
