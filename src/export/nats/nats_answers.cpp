// SPDX-License-Identifier: Apache-2.0
#include "nats_answers.hpp"

#include <rapidjson/encodedstream.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

namespace tapio::nats {

namespace {

using Value = std::variant<std::monostate, bool, std::int64_t, std::string>;

// The members of an object and of the objects in it, as "a" and "a.b"; what is deeper, and what is
// in a list, is read over. RapidJSON calls it.
class Members {
 public:
  bool Null() { return add({}); }
  bool Bool(bool value) { return add(value); }
  bool Int(int value) { return add(std::int64_t{value}); }
  bool Uint(unsigned value) { return add(std::int64_t{value}); }
  bool Int64(std::int64_t value) { return add(value); }
  bool Uint64(std::uint64_t) { return add({}); }  // more than an Int64 holds
  bool Double(double) { return add({}); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return false; }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return add(std::string(text, size));
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    if (depth_ <= kDeepest && lists_ == 0) keys_[depth_ - 1].assign(text, size);
    return true;
  }
  bool StartObject() {
    if (depth_ > 0) add({});  // that it is there counts too
    ++depth_;
    return true;
  }
  bool EndObject(rapidjson::SizeType) {
    --depth_;
    return true;
  }
  bool StartArray() {
    if (!add({})) return false;
    ++lists_;
    return true;
  }
  bool EndArray(rapidjson::SizeType) {
    --lists_;
    return true;
  }

  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  // The empty value when it is not there, or of another type.
  template <typename T>
  [[nodiscard]] T get(std::string_view name) const {
    const Value* value = find(name);
    const T* held = value ? std::get_if<T>(value) : nullptr;
    return held ? *held : T{};
  }

 private:
  static constexpr std::size_t kDeepest = 2;

  // False: the whole is no object.
  bool add(Value value) {
    if (depth_ == 0) return false;
    if (depth_ <= kDeepest && lists_ == 0)
      members_.emplace_back(depth_ == 1 ? keys_[0] : keys_[0] + '.' + keys_[1], std::move(value));
    return true;
  }
  [[nodiscard]] const Value* find(std::string_view name) const {
    const auto found = std::ranges::find(members_, name, &Member::first);
    return found == members_.end() ? nullptr : &found->second;
  }

  using Member = std::pair<std::string, Value>;
  std::vector<Member> members_;  // no more than the text has
  std::string keys_[kDeepest];
  std::size_t depth_ = 0, lists_ = 0;
};

Result<Members> parse(std::string_view text) {
  rapidjson::MemoryStream bytes(text.data(), text.size());
  rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> stream(bytes);
  rapidjson::Reader reader;
  Members members;
  // Iterative: however deep it is, it does not end our stack.
  constexpr auto kHow = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  if (!reader.Parse<kHow>(stream, members))
    return fail(Fault::unavailable, "the server sent something else than JSON");
  return members;
}

}  // namespace

Result<ServerInfo> parse_info(std::string_view text) {
  const Members members = TRY(parse(text));
  const auto max_payload = members.get<std::int64_t>("max_payload");
  return ServerInfo{.headers = members.get<bool>("headers"),
                    .tls_required = members.get<bool>("tls_required"),
                    .tls_available = members.get<bool>("tls_available"),
                    .max_payload = max_payload > 0 ? static_cast<std::size_t>(max_payload) : 0,
                    .nonce = members.get<std::string>("nonce")};
}

Result<Answer> parse_answer(std::string_view text) {
  const Members members = TRY(parse(text));
  if (!members.has("error"))
    return Answer{.done = true, .duplicate = members.get<bool>("duplicate")};
  return Answer{.error = members.get<std::int64_t>("error.err_code"),
                .description = members.get<std::string>("error.description")};
}

}  // namespace tapio::nats
