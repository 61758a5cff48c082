// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "evaluate/aftermath.hpp"
#include "evaluate/endings.hpp"
#include "evaluate/losses.hpp"
#include "evaluate/story.hpp"

namespace tapio {

struct ToldStory {
  RecordId id;
  Story story;
};

// Runs the rules, adds to each story what it knows beside, and keeps what was told. For a while it
// looks whether more has come to light, and tells the story again. One thread uses it.
class Stories {
 public:
  static constexpr std::size_t kMaxStories = 1000;    // kept; the oldest goes, consumers had it
  static constexpr std::uint64_t kMaxPerSecond = 50;  // of fact time; more are counted, not told
  // Told once, amended as soon as there is something, and once more when all is over.
  static constexpr std::uint32_t kMaxRevisions = 3;
  static constexpr std::size_t kMaxWatched = 256;  // beyond: the oldest is not amended any more
  static constexpr std::chrono::nanoseconds kWatched = Aftermath::kWindow;  // after it happened
  // Then twice as long, and so on: a second look costs as much as the first.
  static constexpr std::chrono::nanoseconds kFirstLook = std::chrono::seconds(1);

  struct Outlet {
    // Hands a story to all consumers, and returns the id of its record.
    std::function<RecordId(const Story&)> told;
    // Stories of one second were not told: becomes a gap record. Not a fact.
    std::function<void(const Lost&)> suppressed;
    // The same story, with more in it: takes the place of what was told under this id.
    std::function<void(RecordId, const Story&)> amended = {};
  };
  struct Stats {
    std::uint64_t told = 0;
    std::uint64_t suppressed = 0;
    std::uint64_t forgotten = 0;  // told, no longer kept
    std::uint64_t amended = 0;    // told again
    std::uint64_t unwatched = 0;  // given up before their time, because there were too many
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
  // A story that may still be amended.
  struct Watch {
    RecordId id;
    MonotonicTime until{};
    MonotonicTime next_look{};
    std::chrono::nanoseconds wait = kFirstLook;  // till the one after
    std::vector<std::string> own_impact;         // what the rule itself said
  };
  void hand_out(const Ending& ending, const World& world);
  void move_to(MonotonicTime now);
  void report_suppressed();
  void sign(const Running& running);
  void tell_all(const World& world);
  void tell(Story story, const World& world);
  void watch(RecordId id, const Story& story, std::vector<std::string> own_impact);
  void look_again(MonotonicTime now, const World& world);
  void amend(const Watch& watch, bool last, const World& world);
  [[nodiscard]] std::vector<std::string> impact(const Story& story,
                                                const std::vector<std::string>& own,
                                                const World& world);
  [[nodiscard]] ToldStory* find(RecordId id);

  std::vector<Running> rules_;
  Outlet outlet_;
  Endings endings_;
  Aftermath aftermath_;
  Losses lost_;
  std::deque<Watch> watched_;
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
    Field{"rule", Type::text, "Which rule tells it."},
    Field{"severity", Type::text, "info, warning or critical.", "SEVERITY"},
    Field{"changes", Type::texts, "What had changed in the same place, in the 10 minutes before."},
    Field{"impact", Type::texts, "What else ended, and what was started again."},
    Field{"missing", Type::texts, "Sources that could have said more, and why they did not."},
    Field{"revision", Type::u64, "2 and more: the same story again, with more in it.", "", "1"},
};
[[nodiscard]] Record story_record(const Story& story, Arena& arena);

// One object of `tapio stories --json`.
void append_story_json(std::string& out, RecordId id, const Story& story, const Clocks& clocks);
// For people: the title, then step by step. Ends with a newline.
void append_story_text(std::string& out, RecordId id, const Story& story, const Clocks& clocks,
                       MonotonicTime now);

}  // namespace tapio
