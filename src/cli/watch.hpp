// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <list>
#include <span>
#include <string>
#include <vector>

#include "cli/tally.hpp"
#include "evaluate/engine.hpp"
#include "observer.hpp"
#include "serve/json.hpp"

namespace tapio::cli {

// How one observer does, and how it changes.
struct ObserverRow {
  std::string name, state, health, reason;
  double events = 0, records = 0, lost = 0;  // per second
  std::uint64_t lost_in_all = 0;
};

// What `tapio top` knows: of what the agent said, what a picture is made of.
class Watch {
 public:
  static constexpr std::size_t kMaxStories = 100;  // beyond: the oldest goes

  Watch(std::span<const View* const> views, MonotonicTime now);

  // The agent's status, once a second.
  void add_status(serve::Json status, MonotonicTime now);
  void add_story(ToldStory story);  // told again: in the place of what it was
  // A line of the stream.
  void add_line(const serve::Json& line, MonotonicTime now);

  [[nodiscard]] const serve::Json& status() const { return status_; }
  [[nodiscard]] const std::deque<ToldStory>& stories() const { return stories_; }  // latest first
  [[nodiscard]] std::vector<ObserverRow> observers() const;
  [[nodiscard]] double cpu() const;  // of the agent: 1 is one CPU
  // Records that this reader missed, because it or the agent was slow.
  [[nodiscard]] std::uint64_t missed() const { return missed_; }
  // nullptr: the view is not counted.
  [[nodiscard]] Tally* tally(const View* view);

 private:
  [[nodiscard]] double per_second(double now, double before) const;

  std::list<Tally> tallies_;
  serve::Json status_, before_;
  MonotonicTime status_at_{}, before_at_{};
  std::deque<ToldStory> stories_;
  std::uint64_t missed_ = 0;
};

}  // namespace tapio::cli
