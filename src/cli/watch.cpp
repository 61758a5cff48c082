// SPDX-License-Identifier: Apache-2.0
#include "cli/watch.hpp"

#include <algorithm>

#include "cli/from_json.hpp"
#include "record/gap.hpp"

namespace tapio::cli {

using serve::Json;

namespace {

// Of a list of the status, those of one observer.
double sum_of(const Json& list, std::string_view observer, std::string_view key) {
  double sum = 0;
  for (const Json& row : list.items())
    if (row["observer"].text() == observer) sum += row[key].number();
  return sum;
}

double records_of(const Json& status, std::string_view observer) {
  double sum = 0;
  for (const Json& one : status["ledger"]["observers"].items()) {
    if (one["name"].text() != observer) continue;
    for (const auto& [event_class, counts] : one["records"].members())
      sum += counts["emitted"].number();
  }
  return sum;
}

}  // namespace

Watch::Watch(std::span<const View* const> views, MonotonicTime now) {
  for (const View* view : views) tallies_.emplace_back(*view, now);
}

void Watch::add_status(Json status, MonotonicTime now) {
  before_ = std::exchange(status_, std::move(status));
  before_at_ = std::exchange(status_at_, now);
}

void Watch::add_story(ToldStory story) {
  std::erase_if(stories_, [&](const ToldStory& old) { return old.id == story.id; });
  const auto place = std::ranges::find_if(
      stories_, [&](const ToldStory& old) { return old.story.time <= story.story.time; });
  stories_.insert(place, std::move(story));
  if (stories_.size() > kMaxStories) stories_.pop_back();
}

void Watch::add_line(const Json& line, MonotonicTime now) {
  const auto name = line["name"].text();
  if (name == kGap.name && line["stage"].text() == "stream") missed_ += line["count"].count();
  if (name == kStorySchema.name) add_story(story_from_json(line));
  for (Tally& tally : tallies_)
    if (tally.view().schema->name == name) tally.add(line, now);
}

Tally* Watch::tally(const View* view) {
  const auto found =
      std::ranges::find_if(tallies_, [&](const Tally& one) { return &one.view() == view; });
  return found == tallies_.end() ? nullptr : &*found;
}

// Without two statuses nothing has changed; an agent that was started anew begins from 0.
double Watch::per_second(double now, double before) const {
  const auto seconds = std::chrono::duration<double>(status_at_ - before_at_).count();
  return before_.is_null() || seconds <= 0 ? 0 : std::max(0.0, now - before) / seconds;
}

double Watch::cpu() const {
  return per_second(status_["cost"]["cpu_ms"].number(), before_["cost"]["cpu_ms"].number()) / 1e3;
}

std::vector<ObserverRow> Watch::observers() const {
  std::vector<ObserverRow> rows;
  for (const Json& observer : status_["observers"].items()) {
    const auto name = observer["name"].text();
    const auto rate = [&](auto figure) { return per_second(figure(status_), figure(before_)); };
    const auto lost = [&](const Json& of) { return sum_of(of["loss"], name, "count"); };
    rows.push_back({
        .name = std::string(name),
        .state = std::string(observer["state"].text()),
        .health = std::string(observer["health"].text()),
        .reason = std::string(observer["reason"].text()),
        .events =
            rate([&](const Json& of) { return sum_of(of["ledger"]["rows"], name, "entered"); }),
        .records = rate([&](const Json& of) { return records_of(of, name); }),
        .lost = rate(lost),
        .lost_in_all = static_cast<std::uint64_t>(lost(status_)),
    });
  }
  return rows;
}

}  // namespace tapio::cli
