// SPDX-License-Identifier: Apache-2.0
#include "cli/from_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/settings.hpp"
#include "record/record_id.hpp"

namespace tapio::cli {

using serve::Json;

namespace {

// Takes as many digits as `width` off the front; nothing when they are not there.
std::optional<int> take_digits(std::string_view& text, std::size_t width) {
  if (text.size() < width) return std::nullopt;
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + width, number);
  if (error != std::errc() || end != text.data() + width || number < 0) return std::nullopt;
  text.remove_prefix(width);
  return number;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::nanoseconds> take_fraction(std::string_view& text) {
  constexpr std::size_t kDigits = 9;
  if (!take(text, '.')) return std::chrono::nanoseconds(0);
  const std::size_t width = std::min(text.find_first_not_of("0123456789"), text.size());
  if (width == 0 || width > kDigits) return std::nullopt;
  auto number = take_digits(text, width);
  if (!number) return std::nullopt;
  for (std::size_t i = width; i < kDigits; ++i) *number *= 10;
  return std::chrono::nanoseconds(*number);
}

RecordId id_of(std::string_view text) {
  return parse_record_id(text).value_or(RecordId{});
}

Value duration_of(double seconds) {
  constexpr double kMost = 9.2e9;  // that nanoseconds can count
  if (!(std::abs(seconds) < kMost)) return {};
  return std::chrono::nanoseconds(std::llround(seconds * 1e9));
}

// 0: it is none, or too large.
std::uint32_t small_number(const Json& json) {
  const auto count = json.count();
  return count <= std::numeric_limits<std::uint32_t>::max() ? static_cast<std::uint32_t>(count) : 0;
}

class Reader {
 public:
  Reader(const Json& json, Batch& batch) : json_(json), batch_(batch) {}

  Record record(const Schema& schema) {
    Record record{.schema = &schema, .origin = origin(), .id = id_of(json_["id"].text())};
    record.context = &batch_.contexts.emplace_back(context());
    const std::size_t count = std::min(schema.fields.size(), record.values.size());
    for (std::size_t i = 0; i < count; ++i)
      record.values[i] = value(json_[schema.fields[i].name], schema.fields[i].type);
    return record;
  }

 private:
  Origin origin() {
    Origin origin{.time = parse_rfc3339(json_["time"].text()).value_or(MonotonicTime{}),
                  .cgroup_id = json_["tapio.cgroup.id"].count(),
                  .pid = number("process.pid"),
                  .tid = number("thread.id")};
    if (origin.tid == 0) origin.tid = origin.pid;
    for (const auto each : {TAPIO_STATE, TAPIO_CRITICAL, TAPIO_NORMAL, TAPIO_BULK})
      if (name(each) == json_["tapio.class"].text()) origin.event_class = each;
    if (json_["tapio.late"].truth()) origin.order = Order::late;
    return origin;
  }
  Context context() {
    return {.process_id = text("tapio.process.id"),
            .parent_pid = number("process.parent_pid"),
            .process_name = text("process.executable.name"),
            .executable = text("process.executable.path"),
            .place = place()};
  }
  Place place() {
    return {.cgroup_path = text("tapio.cgroup.path"),
            .container_id = text("container.id"),
            .container_runtime = text("container.runtime.name"),
            .pod_uid = text("k8s.pod.uid"),
            .unit = text("systemd.unit"),
            .user_unit = text("systemd.user_unit"),
            .container_name = text("container.name"),
            .container_image = text("container.image.name"),
            .pod_name = text("k8s.pod.name"),
            .pod_namespace = text("k8s.namespace.name")};
  }
  std::uint32_t number(std::string_view key) const { return small_number(json_[key]); }
  std::string_view text(std::string_view key) { return batch_.arena.keep(json_[key].text()); }

  Value value(const Json& json, Type type) {
    switch (type) {
      case Type::boolean:
        return std::holds_alternative<bool>(json.value) ? Value(json.truth()) : Value();
      case Type::i64:
        return json.is_number() ? Value(json.integer()) : Value();
      case Type::u64:
        return json.is_number() ? Value(json.count()) : Value();
      case Type::f64:
        return json.is_number() ? Value(json.number()) : Value();
      case Type::duration:
        return json.is_number() ? duration_of(json.number()) : Value();
      case Type::time: {
        const auto time = parse_rfc3339(json.text());
        return time ? Value(*time) : Value();
      }
      case Type::text:
        return json.is_text() ? Value(batch_.arena.keep(json.text())) : Value();
      case Type::texts:
        return json.is_list() ? Value(texts(json)) : Value();
    }
    return {};
  }
  std::span<const std::string_view> texts(const Json& json) {
    const auto kept = batch_.arena.list(json.items().size());
    std::ranges::transform(json.items(), kept.begin(),
                           [this](const Json& each) { return batch_.arena.keep(each.text()); });
    return kept;
  }

  const Json& json_;
  Batch& batch_;
};

}  // namespace

std::optional<std::chrono::nanoseconds> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto y = take_digits(text, 4);
  const bool m_follows = take(text, '-');
  const auto m = take_digits(text, 2);
  const bool d_follows = take(text, '-');
  const auto d = take_digits(text, 2);
  const bool time_follows = take(text, 'T');
  const auto hour = take_digits(text, 2);
  const bool minute_follows = take(text, ':');
  const auto minute = take_digits(text, 2);
  const bool second_follows = take(text, ':');
  const auto second = take_digits(text, 2);
  const auto fraction = take_fraction(text);
  if (!y || !m || !d || !hour || !minute || !second || !fraction || text != "Z") return {};
  if (!m_follows || !d_follows || !time_follows || !minute_follows || !second_follows) return {};
  const auto day_of_month = static_cast<unsigned>(*d);
  const year_month_day date{year(*y), month(static_cast<unsigned>(*m)), day(day_of_month)};
  // 1677 to 2262 is what nanoseconds can count.
  if (!date.ok() || *y < 1678 || *y > 2261 || *hour > 23 || *minute > 59 || *second > 60) return {};
  return sys_days(date).time_since_epoch() + hours(*hour) + minutes(*minute) + seconds(*second) +
         *fraction;
}

Result<std::unique_ptr<Batch>> record_from_json(std::string_view line,
                                                std::span<const Schema* const> schemas) {
  const Json json = TRY(serve::parse_json(line));
  const auto name = json["name"].text();
  const auto schema = std::ranges::find(schemas, name, &Schema::name);
  if (schema == schemas.end())
    return invalid(fmt::format("a record of unknown kind {}", config::shown(name)));
  auto batch = std::make_unique<Batch>();
  batch->records.push_back(Reader(json, *batch).record(**schema));
  return batch;
}

ToldStory story_from_json(const Json& json) {
  const auto text = [](const Json& value) { return std::string(value.text()); };
  const auto part = [&](std::string_view flat, std::string_view key) {
    return text(json[flat].is_null() ? json["cause"][key] : json[flat]);
  };
  ToldStory told{.id = id_of(json["id"].text()), .story = {}};
  Story& story = told.story;
  story.time = parse_rfc3339(json["time"].text()).value_or(MonotonicTime{});
  story.title = text(json["title"]);
  story.entity = text(json["entity"]);
  story.cause = {part("cause.kind", "kind"), part("cause.entity", "entity"),
                 part("cause.detail", "detail")};
  story.confidence = json["confidence"].number();
  for (const Json& id : json["evidence"].items()) story.evidence.push_back(id_of(id.text()));
  const auto list = [&](std::string_view key) {
    std::vector<std::string> texts;
    for (const Json& each : json[key].items()) texts.push_back(text(each));
    return texts;
  };
  story.chain = list("chain");
  story.rule = text(json["rule"]);
  for (const auto each : {Severity::info, Severity::warning, Severity::critical})
    if (name(each) == json["severity"].text()) story.severity = each;
  story.process.pid = small_number(json["process.pid"]);
  story.changes = list("changes");
  story.impact = list("impact");
  story.missing = list("missing");
  story.revision = std::max(1u, small_number(json["revision"]));
  return told;
}

}  // namespace tapio::cli
