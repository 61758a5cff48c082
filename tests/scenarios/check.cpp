// SPDX-License-Identifier: Apache-2.0
#include "check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "serve/json.hpp"

namespace tapio {

namespace {

using serve::Json;

Result<std::string> text_of(const Json& object, std::string_view key) {
  const Json& value = object[key];
  if (!value.is_text()) return invalid(fmt::format("a story has no text \"{}\"", key));
  return std::string(value.text());
}

Result<std::vector<std::string>> texts_of(const Json& object, std::string_view key) {
  const Json& value = object[key];
  if (!value.is_list()) return invalid(fmt::format("a story has no list \"{}\"", key));
  std::vector<std::string> list;
  for (const Json& item : value.items()) list.emplace_back(item.text());
  return list;
}

Result<Told> read_story(const Json& object) {
  const Json& cause = object["cause"];
  if (!object["confidence"].is_number()) return invalid("a story has no number \"confidence\"");
  return Told{.id = TRY(text_of(object, "id")),
              .time = TRY(text_of(object, "time")),
              .title = TRY(text_of(object, "title")),
              .entity = TRY(text_of(object, "entity")),
              .kind = TRY(text_of(cause, "kind")),
              .cause = TRY(text_of(cause, "entity")),
              .detail = TRY(text_of(cause, "detail")),
              .confidence = object["confidence"].number(),
              .chain = TRY(texts_of(object, "chain")),
              .evidence = TRY(texts_of(object, "evidence"))};
}

bool says(const Told& told, std::string_view words) {
  return told.title.contains(words) || told.cause.contains(words) || told.detail.contains(words) ||
         std::ranges::any_of(told.chain, [&](const auto& step) { return step.contains(words); });
}

class Mistakes {
 public:
  template <typename Value>
  void unless_equal(std::string_view what, const Value& expected, const Value& actual) {
    if (expected != actual)
      add(fmt::format("{}: expected \"{}\", actually \"{}\"", what, expected, actual));
  }
  void add(std::string sentence) { list_.push_back(std::move(sentence)); }
  [[nodiscard]] std::vector<std::string> take() { return std::move(list_); }

 private:
  std::vector<std::string> list_;
};

void compare_who(Mistakes& wrong, const Expectation& expected, const Told& told) {
  if (!expected.name.empty())
    wrong.unless_equal<std::string_view>("name of whom it happened to", expected.name,
                                         named(told.entity).name);
  wrong.unless_equal<std::string_view>("cause.kind", expected.kind, told.kind);
  const auto cause = named(told.cause);
  wrong.unless_equal("pid of cause.entity", expected.cause, cause.pid);
  if (!expected.cause_name.empty())
    wrong.unless_equal<std::string_view>("name of cause.entity", expected.cause_name, cause.name);
}

void compare_words(Mistakes& wrong, const Expectation& expected, const Told& told) {
  for (const auto& words : expected.says)
    if (!says(told, words)) wrong.add(fmt::format("it does not say \"{}\"", words));
  for (const auto& words : expected.says_not)
    if (says(told, words)) wrong.add(fmt::format("it says \"{}\"", words));
}

void compare_bytes(Mistakes& wrong, const Expectation& expected, const Answer& answer) {
  for (const auto& words : expected.recorded)
    if (!answer.records.contains(words)) wrong.add(fmt::format("no record holds \"{}\"", words));
  for (const auto& words : expected.nowhere) {
    if (answer.records.contains(words)) wrong.add(fmt::format("a record holds \"{}\"", words));
    if (answer.json.contains(words)) wrong.add(fmt::format("a story holds \"{}\"", words));
  }
}

void compare_certainty(Mistakes& wrong, const Expectation& expected, const Told& told) {
  if (told.confidence < expected.least_sure || told.confidence > expected.most_sure)
    wrong.add(fmt::format("confidence: expected {} to {}, actually {}", expected.least_sure,
                          expected.most_sure, told.confidence));
  if (told.evidence.empty()) wrong.add("it names no evidence");
  if (told.chain.empty()) wrong.add("it has no chain");
}

}  // namespace

Result<std::vector<Told>> read_stories(std::string_view json) {
  const Json all = TRY(serve::parse_json(json));
  if (!all.is_list()) return invalid("the stories are not an array");
  std::vector<Told> stories;
  for (const Json& object : all.items()) stories.push_back(TRY(read_story(object)));
  return stories;
}

Named named(std::string_view entity) {
  constexpr std::string_view kMark = " (pid ";
  const auto mark = entity.rfind(kMark);
  if (mark == entity.npos || !entity.ends_with(')')) return {.name = entity};
  const auto digits = entity.substr(mark + kMark.size(), entity.size() - mark - kMark.size() - 1);
  Named found{.name = entity.substr(0, mark)};
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), found.pid);
  if (error != std::errc() || end != digits.data() + digits.size()) return {.name = entity};
  return found;
}

std::vector<const Told*> about(const std::vector<Told>& stories, pid_t pid,
                               std::string_view title) {
  std::vector<const Told*> list;
  for (const auto& told : stories)
    if (named(told.entity).pid == pid && told.title.contains(title)) list.push_back(&told);
  return list;
}

std::vector<std::string> mistakes(const Expectation& expected, const Answer& answer) {
  Mistakes wrong;
  const auto found = about(answer.stories, expected.pid, expected.title);
  const std::size_t count = expected.kind.empty() ? 0 : 1;
  if (found.size() != count)
    wrong.add(fmt::format("stories about pid {}: expected {}, actually {}", expected.pid, count,
                          found.size()));
  compare_bytes(wrong, expected, answer);
  if (count == 0 || found.empty()) return wrong.take();
  compare_who(wrong, expected, *found.front());
  compare_words(wrong, expected, *found.front());
  compare_certainty(wrong, expected, *found.front());
  return wrong.take();
}

}  // namespace tapio
