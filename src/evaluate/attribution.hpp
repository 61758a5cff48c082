// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "evaluate/endings.hpp"

namespace tapio {

// Which signal it was.
struct Choice {
  const Sent* sent = nullptr;  // nullptr: none is known
  const Shot* shot = nullptr;
  std::size_t rivals = 0;     // other senders that may as well have done it
  bool raised_again = false;  // the target caught it, and sent it to itself
};

// Finds out who or what ended a process, from what was witnessed. See ADR 10.
class Attribution {
 public:
  // A parent that ends later than this after its child does not pass on the child's status.
  static constexpr std::chrono::nanoseconds kPassedOn = std::chrono::seconds(10);
  static constexpr int kMaxPassedOn = 4;  // generations: sh of make of sh of python
  // Who exits later than this after it was asked to end did not do it for that. SIGHUP often means
  // something else: read your configuration again.
  static constexpr std::chrono::nanoseconds kAnswered = std::chrono::seconds(120);
  static constexpr std::chrono::nanoseconds kHungUp = std::chrono::seconds(5);

  Attribution(const Witness& witness, const World& world) : witness_(witness), world_(world) {}

  [[nodiscard]] Ending of(const Death& death) const { return explain(death, 0); }
  // The latest signal before its end, by somebody else, that asked it to.
  [[nodiscard]] Choice request(const Death& death) const;

 private:
  [[nodiscard]] Ending begin(const Death& death) const;
  [[nodiscard]] Ending explain(const Death& death, int generation) const;
  [[nodiscard]] Ending explain_signal(const Death& death, int generation) const;
  [[nodiscard]] Ending explain_status(const Death& death, int generation) const;
  [[nodiscard]] std::optional<Ending> passed_on(const Death& death, int generation) const;
  [[nodiscard]] std::optional<Ending> after_signal(const Death& death) const;
  [[nodiscard]] Choice signal_behind(const Death& death) const;

  // Senders other than `but`.
  [[nodiscard]] Choice choose(const Death& death, std::int32_t signal, ProcessId but = {}) const;
  [[nodiscard]] Choice caught_before(const Death& death, const Choice& raised) const;
  // That the same sender had asked it to end before it sent SIGKILL.
  [[nodiscard]] std::optional<Asked> asked_before(const Death& death, const Choice& choice) const;
  [[nodiscard]] bool same_hand(const Sent& one, const Sent& other) const;
  [[nodiscard]] const InitDeath* init_death(const Death& death, MonotonicTime before) const;
  [[nodiscard]] const OomKill* oom_kill(const Death& death) const;
  // A signal from somebody else, before it sent itself one or exited by itself.
  [[nodiscard]] bool may_have_caught(const Death& death, const Choice& choice) const;
  [[nodiscard]] bool is_main_process(const Death& death) const;
  [[nodiscard]] bool was_ending(const Choice& choice) const;
  // Its parent, when that had just ended and the kernel's signal may be for that.
  [[nodiscard]] const Process* parent_that_ended(const Ending& end, const Choice& choice) const;

  // Drafts of the stories.
  void by_process(Ending& end, const Death& death, const Choice& choice) const;
  void by_itself(Ending& end, const Death& death, const Choice& choice) const;
  void by_fault(Ending& end, const Death& death, const Choice& choice) const;
  void by_timer(Ending& end, const Death& death, const Choice& choice) const;
  void by_kernel(Ending& end, const Death& death, const Choice& choice, int generation) const;
  void by_parent_death(Ending& end, const Death& death, const Choice& choice,
                       const Process& parent) const;
  void by_oom(Ending& end, const Death& death, const OomKill& kill) const;
  void by_nobody(Ending& end, const Death& death) const;
  void by_nobody_known(Ending& end, const Death& death) const;
  void with_namespace(Ending& end, const InitDeath& init, int generation) const;
  void caught_from_process(Ending& end, const Death& death, const Choice& choice) const;
  void caught_from_kernel(Ending& end, const Death& death, const Choice& choice) const;
  [[nodiscard]] std::string unknown_because(const Death& death) const;
  std::string add_sender(Ending& end, const Death& death, const Choice& choice) const;
  void add_request(Ending& end, const Choice& choice) const;
  void add_end(Ending& end, const Death& death, const Choice& choice) const;
  void add_end_of_sender(Ending& end, const Choice& choice, MonotonicTime from,
                         MonotonicTime to) const;
  void add_doubts(Ending& end, const Death& death, const Choice& choice) const;
  [[nodiscard]] std::string life_time(const Death& death) const;

  const Witness& witness_;
  const World& world_;
};

// By what ended it alone, before a rule knows better.
[[nodiscard]] Severity severity_of(const Ending& end);

}  // namespace tapio
