// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "evaluate/story.hpp"
#include "killed_deaths.hpp"
#include "killed_signals.hpp"

namespace tapio::killed {

// Which signal it was.
struct Choice {
  const Sent* sent = nullptr;  // nullptr: none is known
  const Shot* shot = nullptr;
  std::size_t rivals = 0;     // other senders that may as well have done it
  bool raised_again = false;  // the target caught it, and sent it to itself
};

// Tells why a process died by a signal, or exited with a status that claims so. See README.md.
class KilledRule final : public Rule {
 public:
  static constexpr std::size_t kMaxExecs = 4096;  // beyond: the oldest goes, its evidence with it
  static constexpr std::size_t kMaxInits = 256;   // ended first processes of pid namespaces
  // A parent that ends later than this after its child does not pass on the child's status.
  static constexpr std::chrono::nanoseconds kPassedOn = std::chrono::seconds(10);
  static constexpr int kMaxPassedOn = 4;  // generations: sh of make of sh of python

  void on_fact(const Fact& fact, const World& world, Tell& tell) override;
  void on_time(MonotonicTime now, const World& world, Tell& tell) override;

 private:
  struct Exec {
    ProcessId process;
    MonotonicTime time{};
    RecordId evidence{};
  };
  struct InitDeath {
    ProcessId process;
    std::uint64_t pid_namespace = 0;
    MonotonicTime time{};
    RecordId evidence{};
    std::string who;
  };
  class Losses {
   public:
    static constexpr std::size_t kMaxWindows = 64;  // beyond: the two oldest become one

    void note(const Lost& fact);
    [[nodiscard]] std::uint64_t between(MonotonicTime from, MonotonicTime to) const;

   private:
    struct Window {
      MonotonicTime from{}, to{};
      std::uint64_t count = 0;
    };
    std::deque<Window> windows_;
  };

  void on(const auto&, const World&, Tell&) {}  // of no use here
  void on(const ProcessExecuted& fact, const World& world, Tell& tell);
  void on(const ProcessExited& fact, const World& world, Tell& tell);
  void on(const SignalSent& fact, const World&, Tell&) { signals_.note(fact); }
  void on(const Lost& fact, const World&, Tell&);
  void settled(const Death& death, const World& world, Tell& tell) const;

  // Nothing: an ordinary end that needs no story.
  [[nodiscard]] std::optional<Story> explain(const Death& death, const World& world,
                                             int generation) const;
  [[nodiscard]] std::optional<Story> explain_signal(const Death& death, const World& world,
                                                    int generation) const;
  [[nodiscard]] std::optional<Story> explain_status(const Death& death, const World& world,
                                                    int generation) const;
  [[nodiscard]] std::optional<Story> passed_on(const Death& death, const World& world,
                                               int generation) const;
  [[nodiscard]] std::optional<Story> after_signal(const Death& death, const World& world) const;

  // Senders other than `but`.
  [[nodiscard]] Choice choose(const Death& death, std::int32_t signal, ProcessId but = {}) const;
  [[nodiscard]] Choice caught_before(const Death& death, const Choice& raised) const;
  void by_process(Story& story, const Death& death, const Choice& choice, const World& world) const;
  void by_itself(Story& story, const Death& death, const Choice& choice, const World& world) const;
  void by_fault(Story& story, const Death& death, const Choice& choice, const World& world) const;
  void by_timer(Story& story, const Death& death, const Choice& choice, const World& world) const;
  void by_kernel(Story& story, const Death& death, const Choice& choice, const World& world,
                 int generation) const;
  void with_namespace(Story& story, const InitDeath& init, const World& world,
                      int generation) const;
  void by_nobody_known(Story& story, const Death& death, const World& world) const;
  [[nodiscard]] std::string add_sender(Story& story, const Death& death, const Choice& choice,
                                       const World& world) const;
  void add_doubts(Story& story, const Death& death, const Choice& choice) const;

  [[nodiscard]] const InitDeath* init_death(const Death& death, MonotonicTime before,
                                            const World& world) const;
  [[nodiscard]] const Exec* exec_of(ProcessId process, MonotonicTime before) const;
  // A signal from somebody else, before it sent itself one or exited by itself.
  [[nodiscard]] bool may_have_caught(const Death& death, const Choice& choice) const;

  SignalMemory signals_;
  Deaths deaths_;
  std::deque<Exec> execs_;
  std::deque<InitDeath> inits_;
  Losses lost_deadly_;
  Losses lost_others_;  // signals that were not deadly when they were sent, among others
};

}  // namespace tapio::killed
