// SPDX-License-Identifier: Apache-2.0
#include "record/record.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "record/finding.hpp"

namespace tapio {

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::event:
      return "event";
    case Kind::metric:
      return "metric";
    case Kind::finding:
      return "finding";
    case Kind::story:
      return "story";
    case Kind::gap:
      return "gap";
  }
  return "unknown";
}

std::string_view name(Type type) {
  switch (type) {
    case Type::boolean:
      return "boolean";
    case Type::i64:
      return "i64";
    case Type::u64:
      return "u64";
    case Type::f64:
      return "f64";
    case Type::duration:
      return "duration";
    case Type::time:
      return "time";
    case Type::text:
      return "text";
    case Type::texts:
      return "texts";
  }
  return "unknown";
}

std::string_view name(tapio_class event_class) {
  switch (event_class) {
    case TAPIO_STATE:
      return "state";
    case TAPIO_CRITICAL:
      return "critical";
    case TAPIO_NORMAL:
      return "normal";
    case TAPIO_BULK:
      return "bulk";
    case TAPIO_CLASSES:
      break;
  }
  return "unknown";
}

std::string_view name(tapio_outcome outcome) {
  switch (outcome) {
    case TAPIO_EMITTED:
      return "emitted";
    case TAPIO_SAMPLED_OUT:
      return "sampled_out";
    case TAPIO_RATE_LIMITED:
      return "rate_limited";
    case TAPIO_AGGREGATED:
      return "aggregated";
    case TAPIO_MAP_FULL:
      return "map_full";
    case TAPIO_READ_ABORTED:
      return "read_aborted";
    case TAPIO_RING_FULL:
      return "ring_full";
    case TAPIO_NESTED:
      return "nested";
    case TAPIO_OUTCOMES:
      break;
  }
  return "unknown";
}

std::string_view name(Severity severity) {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::warning:
      return "warning";
    case Severity::critical:
      return "critical";
  }
  return "info";
}

std::string RecordId::text() const {
  return fmt::format("{:08x}.{}", run, number);
}

std::chrono::nanoseconds wall_time(MonotonicTime time, const Clocks& clocks) {
  std::int64_t sum;
  if (!__builtin_add_overflow(time.count(), clocks.wall_ahead_at(time).count(), &sum))
    return std::chrono::nanoseconds(sum);
  return time.count() < 0 ? std::chrono::nanoseconds::min() : std::chrono::nanoseconds::max();
}

const Value* value_of(const Record& record, std::string_view field) {
  const auto& fields = record.schema->fields;
  const auto found = std::ranges::find(fields, field, &Field::name);
  return found == fields.end() ? nullptr : &record.values[found - fields.begin()];
}

std::string_view text_of(const Record& record, std::string_view field) {
  const Value* value = value_of(record, field);
  const auto* text = value ? std::get_if<std::string_view>(value) : nullptr;
  return text ? *text : std::string_view();
}

}  // namespace tapio
