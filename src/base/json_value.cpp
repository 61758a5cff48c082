// SPDX-License-Identifier: Apache-2.0
#include "base/json_value.hpp"

#include <fmt/format.h>
#include <rapidjson/encodedstream.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <limits>

#include "base/text.hpp"

namespace tapio {

namespace {

template <typename T>
const T* get(const Json& json) {
  return std::get_if<T>(&json.value);
}

// RapidJSON validates what it reads, and then makes half a surrogate pair out of an escape.
bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (!length) return false;
    text.remove_prefix(length);
  }
  return true;
}

// Builds the value from RapidJSON's events; a false stops the reader.
class Builder {
 public:
  [[nodiscard]] Json take() { return std::move(root_); }
  [[nodiscard]] bool too_much() const { return too_much_; }

  bool Null() { return add({}); }
  bool Bool(bool v) { return add({.value = v}); }
  bool Int(int v) { return add({.value = std::int64_t{v}}); }
  bool Uint(unsigned v) { return add({.value = std::uint64_t{v}}); }
  bool Int64(std::int64_t v) { return add({.value = v}); }
  bool Uint64(std::uint64_t v) { return add({.value = v}); }
  bool Double(double v) { return add({.value = v}); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return false; }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return is_utf8({text, size}) && add({.value = std::string(text, size)});
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    if (!is_utf8({text, size})) return false;
    std::get<Json::Object>(open_.back()->value).push_back({{text, size}, {}});
    return true;
  }
  bool StartObject() { return begin({.value = Json::Object{}}); }
  bool StartArray() { return begin({.value = Json::List{}}); }
  bool EndObject(rapidjson::SizeType) { return end(); }
  bool EndArray(rapidjson::SizeType) { return end(); }

 private:
  // Only the innermost open value grows, so the pointers to the outer ones stay valid.
  Json* place(Json&& json) {
    too_much_ = ++values_ > kMaxJsonValues;
    if (too_much_) return nullptr;
    if (open_.empty()) return &(root_ = std::move(json));
    if (auto* object = std::get_if<Json::Object>(&open_.back()->value))
      return &(object->back().value = std::move(json));
    return &std::get<Json::List>(open_.back()->value).emplace_back(std::move(json));
  }
  bool add(Json&& json) { return place(std::move(json)) != nullptr; }
  bool begin(Json&& json) {
    Json* placed = place(std::move(json));
    if (placed == nullptr) return false;
    open_.push_back(placed);
    too_much_ = open_.size() > kMaxJsonDepth;
    return !too_much_;
  }
  bool end() {
    open_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Json*> open_;
  std::size_t values_ = 0;
  bool too_much_ = false;
};

}  // namespace

const Json& Json::operator[](std::string_view key) const {
  static const Json kNull;
  const auto all = members();
  const auto found = std::ranges::find(all, key, &Member::key);
  return found == all.end() ? kNull : found->value;
}

std::string_view Json::text() const {
  const auto* text = get<std::string>(*this);
  return text ? std::string_view(*text) : std::string_view();
}

bool Json::truth() const {
  const auto* truth = get<bool>(*this);
  return truth && *truth;
}

double Json::number() const {
  if (const auto* v = get<double>(*this)) return *v;
  if (const auto* v = get<std::int64_t>(*this)) return static_cast<double>(*v);
  if (const auto* v = get<std::uint64_t>(*this)) return static_cast<double>(*v);
  return 0;
}

std::int64_t Json::integer() const {
  if (const auto* v = get<std::int64_t>(*this)) return *v;
  if (const auto* v = get<std::uint64_t>(*this))
    return static_cast<std::int64_t>(
        std::min<std::uint64_t>(*v, std::numeric_limits<std::int64_t>::max()));
  // Beyond these bounds the conversion is undefined.
  if (const auto* v = get<double>(*this); v && *v > -9.2e18 && *v < 9.2e18)
    return static_cast<std::int64_t>(*v);
  return 0;
}

std::uint64_t Json::count() const {
  if (const auto* v = get<std::uint64_t>(*this)) return *v;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(integer(), 0));
}

bool Json::is_number() const {
  return get<double>(*this) || get<std::int64_t>(*this) || get<std::uint64_t>(*this);
}

std::span<const Json> Json::items() const {
  const auto* list = get<List>(*this);
  return list ? std::span<const Json>(*list) : std::span<const Json>();
}

std::span<const Json::Member> Json::members() const {
  const auto* object = get<Object>(*this);
  return object ? std::span<const Member>(*object) : std::span<const Member>();
}

Result<Json> parse_json(std::string_view text) {
  // RapidJSON takes NUL for the end, and would not see what stands behind it.
  if (text.contains('\0')) return invalid("not JSON: a NUL byte");
  rapidjson::MemoryStream bytes(text.data(), text.size());
  rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> stream(bytes);
  rapidjson::Reader reader;
  Builder builder;
  // Iterative: a recursive reader's stack would be the sender's to exhaust.
  constexpr auto kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  const auto result = reader.Parse<kFlags>(stream, builder);
  if (builder.too_much())
    return invalid(fmt::format("not acceptable JSON: deeper than {} or more than {} values",
                               kMaxJsonDepth, kMaxJsonValues));
  if (!result)
    return invalid(fmt::format("not JSON at byte {}: {}", result.Offset(),
                               rapidjson::GetParseError_En(result.Code())));
  return builder.take();
}

}  // namespace tapio
