// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal.hpp"

#include "base/text.hpp"
#include "evaluate/engine.hpp"
#include "record/json.hpp"

namespace tapio::agent {

namespace {

template <typename T>
T field(const Record& record, std::string_view name) {
  for (std::size_t i = 0; i < record.schema->fields.size(); ++i)
    if (record.schema->fields[i].name == name)
      if (const auto* value = std::get_if<T>(&record.values[i])) return *value;
  return {};
}

}  // namespace

Status StoryLines::write(const Batch& batch) {
  for (const Record& record : batch.records) {
    if (record.schema != &kStorySchema) continue;
    auto& out = out_.waiting();
    append_rfc3339(out, wall_time(record.origin.time, batch.clocks));
    out += "  ";
    append_printable(out, field<std::string_view>(record, "title"));
    for (const auto step : field<std::span<const std::string_view>>(record, "chain"))
      append_printable(out += "\n    ", step);
    out += '\n';
  }
  return out_.write();
}

Status JsonLines::write(const Batch& batch) {
  for (const Record& record : batch.records) {
    append_json(out_.waiting(), record, batch.clocks);
    out_.waiting() += '\n';
  }
  return out_.write();
}

Status Printed::write(const Batch& batch) {
  if (enough_) return {};
  if (!TRY(printer_.print(batch))) enough_ = true;
  return {};
}

std::vector<std::string> own_canary() {
  return {"/proc/self/exe", std::string(kCanaryCommand)};
}

}  // namespace tapio::agent
