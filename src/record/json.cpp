// SPDX-License-Identifier: Apache-2.0
#include "record/json.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/eights.hpp"
#include "base/text.hpp"
#include "record/who.hpp"

namespace tapio {

namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

// Puts a line together in a place of its own: to add to a string takes longer than most pieces do.
class Line {
 public:
  explicit Line(std::string& out) : out_(out) {}
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() { pass_on(); }

  void put(char c) {
    *room(1) = c;
    at_++;
  }
  void put(std::string_view text) {
    if (text.size() > room_.size()) {
      pass_on();
      out_.append(text);
    } else {
      eights::copy(room(text.size()), text, kUntested);
      at_ += text.size();
    }
  }
  void number(auto number) {
    constexpr std::size_t kLongest = 32;  // the longest double takes 24
    char* const at = room(kLongest);
    at_ += static_cast<std::size_t>(std::to_chars(at, at + kLongest, number).ptr - at);
  }
  void text(std::string_view text) {
    if (text.size() <= kLongestPiece && between("\"", text, "\"", eights::not_plain_json)) return;
    pass_on();
    append_json_string(out_, text);
  }
  void time(MonotonicTime time, const Clocks& clocks) {
    put('"');
    write_rfc3339(std::span<char, kRfc3339Bytes>(room(kRfc3339Bytes), kRfc3339Bytes),
                  wall_time(time, clocks));
    at_ += kRfc3339Bytes;
    put('"');
  }
  void key(std::string_view name) { between(",\"", name, "\":", kUntested); }

 private:
  static constexpr std::size_t kLongestPiece = 1024;

  static constexpr auto kUntested = [](std::uint64_t) { return std::uint64_t{}; };

  // False, and nothing is put: some of the text is `odd`.
  template <std::size_t N, std::size_t M, typename Odd>  // with their NULs
  bool between(const char (&before)[N], std::string_view text, const char (&behind)[M], Odd odd) {
    char* const at = room(N + text.size() + M);
    std::memcpy(at, before, N - 1);
    if (eights::copy(at + N - 1, text, odd)) return false;
    std::memcpy(at + N - 1 + text.size(), behind, M - 1);
    at_ += N - 1 + text.size() + M - 1;
    return true;
  }
  // For so many bytes, at most as many as there are at all.
  char* room(std::size_t bytes) {
    if (bytes > room_.size() - at_) pass_on();
    return room_.data() + at_;
  }
  void pass_on() {
    out_.append(room_.data(), at_);
    at_ = 0;
  }

  std::string& out_;
  std::size_t at_ = 0;
  std::array<char, 2048> room_;  // most records take less than half of it
};

// Seconds with as many decimals as it takes, from the integer: a double would round after 104 days.
void append_seconds(Line& out, std::chrono::nanoseconds duration) {
  const std::int64_t count = duration.count();
  auto ns = static_cast<std::uint64_t>(count);
  if (count < 0) {
    out.put('-');
    ns = 0 - ns;
  }
  out.number(ns / kNsPerSecond);
  std::uint64_t rest = ns % kNsPerSecond;
  if (rest == 0) return;
  std::array<char, 10> decimals;
  decimals[0] = '.';
  for (std::size_t i = decimals.size(); --i > 0; rest /= 10)
    decimals[i] = static_cast<char>('0' + rest % 10);
  std::string_view text(decimals.data(), decimals.size());
  while (text.back() == '0') text.remove_suffix(1);
  out.put(text);
}

struct AppendValue {
  Line& out;
  Type type;
  const Clocks& clocks;

  void operator()(std::monostate) const { out.put("null"); }
  void operator()(bool v) const { out.put(v ? std::string_view("true") : "false"); }
  void operator()(std::int64_t v) const { out.number(v); }
  void operator()(std::uint64_t v) const { out.number(v); }
  void operator()(double v) const {
    if (std::isfinite(v))
      out.number(v);
    else
      out.put("null");
  }
  void operator()(std::chrono::nanoseconds v) const {
    if (type == Type::time)
      out.time(v, clocks);
    else
      append_seconds(out, v);
  }
  void operator()(std::string_view v) const { out.text(v); }
  void operator()(std::span<const std::string_view> v) const {
    char before = '[';
    for (const std::string_view text : v) {
      out.put(before);
      out.text(text);
      before = ',';
    }
    out.put(v.empty() ? std::string_view("[]") : "]");
  }
};

void append_who(Line& out, const Record& record) {
  visit_who(record, [&](std::string_view key, auto value) {
    out.key(key);
    if constexpr (std::same_as<decltype(value), std::string_view>)
      out.text(value);
    else if constexpr (std::same_as<decltype(value), bool>)
      out.put("true");
    else
      out.number(value);
  });
}

void append_id(Line& out, const RecordId& id) {
  std::array<char, 8> hex;
  for (std::size_t i = 0; i < hex.size(); ++i)
    hex[i] = "0123456789abcdef"[id.run >> (4 * (hex.size() - 1 - i)) & 0xF];
  out.put(std::string_view(hex.data(), hex.size()));
  out.put('.');
  out.number(id.number);
}

}  // namespace

void append_json(std::string& out, const Record& record, const Clocks& clocks) {
  const Schema& schema = *record.schema;
  Line line(out);
  line.put(R"({"type":")");
  line.put(name(schema.kind));
  line.put(R"(","name":")");
  line.put(schema.name);
  line.put(R"(","time":)");
  line.time(record.origin.time, clocks);
  line.put(R"(,"id":")");
  append_id(line, record.id);
  line.put('"');
  append_who(line, record);
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    if (std::holds_alternative<std::monostate>(record.values[i])) continue;
    line.key(schema.fields[i].name);
    std::visit(AppendValue{line, schema.fields[i].type, clocks}, record.values[i]);
  }
  line.put('}');
}

}  // namespace tapio
