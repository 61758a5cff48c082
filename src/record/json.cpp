// SPDX-License-Identifier: Apache-2.0
#include "record/json.hpp"

#include <charconv>
#include <cmath>

#include "base/text.hpp"

namespace tapio {

namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

void append_number(std::string& out, auto number) {
  std::array<char, 32> digits;  // the longest double takes 24
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

// Seconds with as many decimals as it takes, from the integer: a double would round after 104 days.
void append_seconds(std::string& out, std::chrono::nanoseconds duration) {
  const std::int64_t count = duration.count();
  auto ns = static_cast<std::uint64_t>(count);
  if (count < 0) {
    out += '-';
    ns = 0 - ns;
  }
  append_number(out, ns / kNsPerSecond);
  std::uint64_t rest = ns % kNsPerSecond;
  if (rest == 0) return;
  std::array<char, 10> decimals;
  decimals[0] = '.';
  for (std::size_t i = decimals.size(); --i > 0; rest /= 10)
    decimals[i] = static_cast<char>('0' + rest % 10);
  std::string_view text(decimals.data(), decimals.size());
  while (text.back() == '0') text.remove_suffix(1);
  out.append(text);
}

void append_time(std::string& out, MonotonicTime time, const Clocks& clocks) {
  out += '"';
  append_rfc3339(out, wall_time(time, clocks));
  out += '"';
}

struct AppendValue {
  std::string& out;
  Type type;
  const Clocks& clocks;

  void operator()(std::monostate) const { out += "null"; }
  void operator()(bool v) const { out += v ? "true" : "false"; }
  void operator()(std::int64_t v) const { append_number(out, v); }
  void operator()(std::uint64_t v) const { append_number(out, v); }
  void operator()(double v) const {
    if (std::isfinite(v))
      append_number(out, v);
    else
      out += "null";
  }
  void operator()(std::chrono::nanoseconds v) const {
    if (type == Type::time)
      append_time(out, v, clocks);
    else
      append_seconds(out, v);
  }
  void operator()(std::string_view v) const { append_json_string(out, v); }
  void operator()(std::span<const std::string_view> v) const {
    char before = '[';
    for (const std::string_view text : v) {
      out += before;
      append_json_string(out, text);
      before = ',';
    }
    out += v.empty() ? "[]" : "]";
  }
};

// Keys that a schema may declare itself.
class CommonKeys {
 public:
  CommonKeys(std::string& out, const Schema& schema) : out_(out), schema_(schema) {}

  void text(Who key, std::string_view value) {
    if (!value.empty() && begin(key)) append_json_string(out_, value);
  }
  void number(Who key, std::uint64_t value) {
    if (value != 0 && begin(key)) append_number(out_, value);
  }
  void flag(Who key) {
    if (begin(key)) out_ += "true";
  }

 private:
  bool begin(Who key) {
    const auto index = static_cast<std::size_t>(key);
    if (schema_.own_keys >> index & 1) return false;
    out_.append(",\"").append(kKeysOfWho[index]).append("\":");
    return true;
  }

  std::string& out_;
  const Schema& schema_;
};

void append_place(CommonKeys& common, const Place& place) {
  common.text(Who::container_id, place.container_id);
  common.text(Who::container_runtime, place.container_runtime);
  common.text(Who::pod_uid, place.pod_uid);
  common.text(Who::unit, place.unit);
  common.text(Who::user_unit, place.user_unit);
  common.text(Who::cgroup_path, place.cgroup_path);
}

void append_who(std::string& out, const Record& record) {
  const Origin& origin = record.origin;
  CommonKeys common(out, *record.schema);
  common.number(Who::pid, origin.pid);
  if (origin.tid != origin.pid) common.number(Who::tid, origin.tid);
  if (const Context* context = record.context) {
    common.number(Who::parent_pid, context->parent_pid);
    common.text(Who::name, context->process_name);
    common.text(Who::executable, context->executable);
    common.text(Who::process_id, context->process_id);
  }
  common.number(Who::cgroup_id, origin.cgroup_id);
  if (record.context) append_place(common, record.context->place);
  if (record.schema->kind == Kind::event) common.text(Who::event_class, name(origin.event_class));
  if (origin.order == Order::late) common.flag(Who::late);
}

void append_id(std::string& out, const RecordId& id) {
  std::array<char, 8> hex;
  for (std::size_t i = 0; i < hex.size(); ++i)
    hex[i] = "0123456789abcdef"[id.run >> (4 * (hex.size() - 1 - i)) & 0xF];
  out.append(hex.data(), hex.size()) += '.';
  append_number(out, id.number);
}

}  // namespace

void append_json(std::string& out, const Record& record, const Clocks& clocks) {
  const Schema& schema = *record.schema;
  out.append(R"({"type":")").append(name(schema.kind)).append(R"(","name":")");
  out.append(schema.name).append(R"(","time":)");
  append_time(out, record.origin.time, clocks);
  out += R"(,"id":")";
  append_id(out, record.id);
  out += '"';
  append_who(out, record);
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    if (std::holds_alternative<std::monostate>(record.values[i])) continue;
    out.append(",\"").append(schema.fields[i].name).append("\":");
    std::visit(AppendValue{out, schema.fields[i].type, clocks}, record.values[i]);
  }
  out += '}';
}

}  // namespace tapio
