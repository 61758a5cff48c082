// SPDX-License-Identifier: Apache-2.0
#include "evaluate/background.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "evaluate/words.hpp"

namespace tapio {

namespace {

// What is rarer, and explains more, comes first.
int rank(Change::What what) {
  switch (what) {
    case Change::What::limit:
      return 0;
    case Change::What::restart:
      return 1;
    case Change::What::credentials:
      return 2;
    case Change::What::executable:
      return 3;
  }
  return 3;
}

bool is_told_already(const Change& change, const Story& story) {
  return change.evidence != RecordId{} &&
         std::ranges::find(story.evidence, change.evidence) != story.evidence.end();
}

void add_some(std::vector<std::string>& lines, const std::vector<std::string>& all,
              std::size_t most) {
  const auto count = std::min(all.size(), most);
  lines.insert(lines.end(), all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
  if (all.size() > count) lines.push_back(fmt::format("and {} more", all.size() - count));
}

}  // namespace

void add_changes(Story& story, const World& world) {
  auto changes = world.changes(story.cgroup_id, story.time - kChangesBefore, story.time);
  std::erase_if(changes, [&](const Change& change) { return is_told_already(change, story); });
  std::ranges::stable_sort(changes, [](const Change& a, const Change& b) {
    return rank(a.what) != rank(b.what) ? rank(a.what) < rank(b.what) : a.time > b.time;
  });
  std::vector<std::string> lines;
  for (const Change& change : changes)
    lines.push_back(fmt::format("{}, {} before", change.text, in_words(story.time - change.time)));
  add_some(story.changes, lines, kMaxChangesTold);
}

void add_missing(Story& story, const World& world, const Losses& lost) {
  const auto since = world.watching_since();
  if (since.count() == 0)
    story.missing.emplace_back("it is not known since when all is seen");
  else if (since > story.time - kChangesBefore)
    story.missing.push_back(
        fmt::format("watching since only {} before, so older changes are not known",
                    in_words(std::max(story.time - since, {}))));
  if (const auto count = lost.between(story.time - kLossesBefore, story.time))
    story.missing.push_back(
        fmt::format("{} records were lost in the {} before", count, in_words(kLossesBefore)));
  add_some(story.missing, world.blind_spots(), kMaxBlindSpotsTold);
}

}  // namespace tapio
