// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.hpp"
#include "evaluate/engine.hpp"
#include "evaluate/words.hpp"

namespace tapio {
namespace {

void append_json_list(std::string& out, const std::vector<std::string>& texts) {
  out += '[';
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, texts[i]);
  }
  out += ']';
}

std::vector<std::string> texts(const std::vector<RecordId>& ids) {
  std::vector<std::string> list;
  for (const auto id : ids) list.push_back(id.text());
  return list;
}

std::span<const std::string_view> keep(const std::vector<std::string>& list, Arena& arena) {
  const auto kept = arena.list(list.size());
  std::ranges::transform(list, kept.begin(), [&](const auto& text) { return arena.keep(text); });
  return kept;
}

// NaN has no JSON.
double certain(double confidence) {
  return confidence > 0 ? std::min(confidence, 1.0) : 0;
}

void append_member(std::string& out, std::string_view key, const std::vector<std::string>& texts) {
  fmt::format_to(std::back_inserter(out), R"(,"{}":)", key);
  append_json_list(out, texts);
}

// As a step of the list below the title: "  because  bash (pid 4) ...".
void append_step(std::string& out, std::string_view head, std::string_view text) {
  fmt::format_to(std::back_inserter(out), "  {:<11}", head);
  append_printable(out, text);
  out += '\n';
}

void append_steps(std::string& out, std::string_view head, const std::vector<std::string>& texts) {
  for (const auto& text : texts) append_step(out, head, text);
}

}  // namespace

Record story_record(const Story& story, Arena& arena) {
  const Origin origin{.time = story.time, .cgroup_id = story.cgroup_id, .pid = story.process.pid};
  return kStorySchema(
      origin, arena.keep(story.title), arena.keep(story.entity), arena.keep(story.cause.kind),
      arena.keep(story.cause.entity), arena.keep(story.cause.detail), certain(story.confidence),
      keep(story.chain, arena), keep(texts(story.evidence), arena), arena.keep(story.rule),
      name(story.severity), keep(story.changes, arena), keep(story.impact, arena),
      keep(story.missing, arena), std::uint64_t{story.revision});
}

void append_story_json(std::string& out, RecordId id, const Story& story, const Clocks& clocks) {
  out += R"({"id":)";
  append_json_string(out, id.text());
  out += R"(,"time":")";
  append_rfc3339(out, wall_time(story.time, clocks));
  out += R"(","title":)";
  append_json_string(out, story.title);
  out += R"(,"entity":)";
  append_json_string(out, story.entity);
  out += R"(,"cause":{"kind":)";
  append_json_string(out, story.cause.kind);
  out += R"(,"entity":)";
  append_json_string(out, story.cause.entity);
  out += R"(,"detail":)";
  append_json_string(out, story.cause.detail);
  fmt::format_to(std::back_inserter(out), R"(}},"confidence":{:.4g},"chain":)",
                 certain(story.confidence));
  append_json_list(out, story.chain);
  out += R"(,"evidence":)";
  append_json_list(out, texts(story.evidence));
  out += R"(,"rule":)";
  append_json_string(out, story.rule);
  fmt::format_to(std::back_inserter(out), R"(,"severity":"{}")", name(story.severity));
  if (story.process)
    fmt::format_to(std::back_inserter(out), R"(,"process.pid":{})", story.process.pid);
  append_member(out, "changes", story.changes);
  append_member(out, "impact", story.impact);
  append_member(out, "missing", story.missing);
  fmt::format_to(std::back_inserter(out), R"(,"revision":{}}})", story.revision);
}

void append_story_text(std::string& out, RecordId id, const Story& story, const Clocks& clocks,
                       MonotonicTime now) {
  append_printable(out, story.title);
  out += '\n';
  std::string when;
  append_rfc3339(when, wall_time(story.time, clocks));
  if (now >= story.time) when.append(", ").append(in_words(now - story.time)).append(" ago");
  append_step(out, "when", when);
  for (std::size_t i = 0; i < story.chain.size(); ++i)
    append_step(out, i == 0 ? "because" : "then", story.chain[i]);
  if (story.chain.empty()) append_step(out, "because", story.cause.detail);
  append_steps(out, "changed", story.changes);
  append_steps(out, "also", story.impact);
  append_steps(out, "missing", story.missing);
  append_step(
      out, "confidence",
      fmt::format("{} ({:.2f})", confidence_in_words(story.confidence), certain(story.confidence)));
  append_step(out, "story", id.text());
  append_step(
      out, "evidence",
      story.evidence.empty() ? "none" : fmt::format("{}", fmt::join(texts(story.evidence), " ")));
}

}  // namespace tapio
