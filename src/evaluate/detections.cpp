// SPDX-License-Identifier: Apache-2.0
#include "evaluate/detections.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "evaluate/names.hpp"
#include "evaluate/words.hpp"

namespace tapio {

namespace {

// A crash loop is about another process each time; its first death tells which loop it is.
std::string key_of(const Detected& d) {
  if (d.what == Detection::crash_loop && !d.because.empty())
    return fmt::format("{} {}", name(d.what), d.because.front().text());
  return fmt::format("{} {} {} {}", name(d.what), d.process.pid, d.process.start_ticks,
                     d.executable);
}

}  // namespace

bool Incidents::is_news(const Detected& detected) {
  const auto key = key_of(detected);
  const auto found = std::ranges::find(known_, key, &Known::key);
  const bool goes_on = found != known_.end() && detected.time < found->latest + kOver;
  Known now{.key = key, .latest = detected.time, .told = goes_on ? found->told : 0};
  if (found != known_.end()) known_.erase(found);
  const bool news = !goes_on || detected.count >= now.told * 2;
  if (news) now.told = detected.count;
  known_.push_back(std::move(now));
  if (known_.size() > kMost) known_.pop_front();
  return news;
}

Story story_of(const Detected& detected) {
  Story story;
  story.time = detected.time;
  story.entity = label(detected.process_name, detected.process);
  story.severity = detected.severity;
  story.process = detected.process;
  story.cgroup_id = detected.cgroup_id;
  story.evidence.push_back(detected.evidence);
  story.evidence.insert(story.evidence.end(), detected.because.begin(), detected.because.end());
  return story;
}

std::string often(const Detected& detected) {
  return fmt::format("{} times in {}", detected.count, in_words(detected.window));
}

}  // namespace tapio
