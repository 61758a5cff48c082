// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "evaluate/story.hpp"

namespace tapio {

struct ToldStory {
  RecordId id;
  Story story;
};

// Runs the rules and keeps what they told. One thread uses it.
class Stories {
 public:
  static constexpr std::size_t kMaxStories = 1000;    // kept; the oldest goes, consumers had it
  static constexpr std::uint64_t kMaxPerSecond = 50;  // of fact time; more are counted, not told

  struct Outlet {
    // Hands a story to all consumers, and returns the id of its record.
    std::function<RecordId(const Story&)> told;
    // Stories of one second were not told: becomes a gap record. Not a fact.
    std::function<void(const Lost&)> suppressed;
  };
  struct Stats {
    std::uint64_t told = 0;
    std::uint64_t suppressed = 0;
    std::uint64_t forgotten = 0;  // told, no longer kept
  };

  Stories(std::span<const RuleDescriptor* const> rules, Outlet outlet);

  // The kinds of facts that some rule wants.
  [[nodiscard]] FactSet needs() const;
  void on_fact(const Fact& fact, const World& world);
  void on_time(MonotonicTime now, const World& world);

  // What happened at `time` or later, in the order it was told. Valid until the next fact or time.
  [[nodiscard]] std::vector<const ToldStory*> since(MonotonicTime time) const;
  [[nodiscard]] std::size_t count() const { return kept_.size(); }
  [[nodiscard]] const Stats& stats() const { return stats_; }

 private:
  struct Running {
    const RuleDescriptor* descriptor;
    std::unique_ptr<Rule> rule;
  };
  void move_to(MonotonicTime now);
  void report_suppressed();
  void tell_all();

  std::vector<Running> rules_;
  Outlet outlet_;
  Rule::Tell fresh_;
  std::deque<ToldStory> kept_;
  Stats stats_;
  std::chrono::seconds second_{};  // the one that is counted
  std::uint64_t told_in_second_ = 0;
  std::uint64_t suppressed_in_second_ = 0;
};

inline constexpr SchemaOf kStorySchema{
    "story",
    Kind::story,
    "Why something happened, with what says so.",
    Field{"title", Type::text, "What happened, in one line.", "STORY"},
    Field{"entity", Type::text, "Whom it happened to.", "WHO"},
    Field{"cause.kind", Type::text, "process, kernel, timer, fault, self or unknown.", "CAUSE"},
    Field{"cause.entity", Type::text, "Who caused it; empty when nobody did."},
    Field{"cause.detail", Type::text, "How, in one sentence."},
    Field{"confidence", Type::f64, "0 to 1; below 0.5 the cause is unknown.", "SURE", "1"},
    Field{"chain", Type::texts, "The steps that led to it, oldest first."},
    Field{"evidence", Type::texts, "Ids of the records that say so."},
};
[[nodiscard]] Record story_record(const Story& story, Arena& arena);

// One object of `tapio stories --json`.
void append_story_json(std::string& out, RecordId id, const Story& story, const Clocks& clocks);
// For people: the title, then step by step. Ends with a newline.
void append_story_text(std::string& out, RecordId id, const Story& story, const Clocks& clocks,
                       MonotonicTime now);

}  // namespace tapio
