// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/lru.hpp"
#include "cri_config.hpp"
#include "cri_runtimes.hpp"
#include "cri_told.hpp"
#include "observer.hpp"

namespace tapio::cri {

// Asks runtimes for containers that it hears of, and hands on what they say: as facts, so that
// records carry names, and as records. What it knows of the world outside, it has from
// Outside::ask.
class CriObserver final : public Observer {
 public:
  static constexpr std::size_t kMaxContainers = 16'384;  // the one unused longest is forgotten
  static constexpr std::size_t kMaxAwaited = 1'024;      // beyond it nobody waits
  static constexpr std::size_t kMaxSockets = 16;
  // Who is told of containers forgets them after ten minutes: so often it is said again, of so many
  // in one second.
  static constexpr std::chrono::minutes kSayAgain{4};
  static constexpr std::size_t kMaxSaidAgain = 500;

  // `first`: what take() said when they were made. No `runtimes`: a replay.
  CriObserver(const Config& config, std::unique_ptr<Runtimes> runtimes, Outside& outside,
              std::string_view first);

  Status on_sample(const wire::Sample&, Output&) override {
    return invalid("cri: it sends no events");
  }
  void on_fact(const Fact& fact, Output& out) override;
  void on_advance(MonotonicTime watermark, Output& out) override;
  void on_tick(MonotonicTime now, Output& out) override;
  void on_settings(const config::Section& settings) override;
  [[nodiscard]] std::vector<Counter> counters() const override;
  [[nodiscard]] std::optional<Remark> remark() const override;

 private:
  struct Known {
    Described said;
    RecordId evidence{};  // the latest cri.container
    MonotonicTime published{};
  };

  void on_created(const CgroupCreated& created, Output& out);
  void on_removed(const CgroupRemoved& removed, Output& out);
  // Whether somebody could know a container of this runtime, and answers in time.
  [[nodiscard]] bool may_ask(std::string_view runtime) const;
  struct Wanted {
    std::string id;
    std::string_view runtime;  // static, as Cgroup has it
    bool in_pod = false;
  };
  void look_up(const Wanted& its, bool awaited);
  void take(MonotonicTime now, Output& out);
  void give_up(MonotonicTime now, Output& out);

  void on_told(const Described& told, MonotonicTime now, Output& out);
  void on_told(const Unnamed& unnamed, MonotonicTime now, Output& out);
  void on_told(const Removed& removed, MonotonicTime now, Output& out);
  void on_told(const RuntimeState& state, MonotonicTime now, Output& out);
  static void emit(const RuntimeState& state, Output& out);
  void on_told(const Calls& calls, MonotonicTime now, Output& out);
  void on_told(const Pulled& pulled, MonotonicTime now, Output& out);
  void on_told(const Counts& counts, MonotonicTime now, Output& out);
  // Its pod by what its cgroup's path says, when its runtime does not say it. True: found.
  bool find_pod(Described& one, const World& world);
  // Whether there is to be a record of it.
  [[nodiscard]] bool is_wanted(const Described& one) const;
  // As of `now`.
  void publish(Known& known, MonotonicTime now, Output& out) const;
  void say_again(MonotonicTime now, Output& out);
  RecordId emit(const Described& one, const Described* before, bool removed, Output& out);

  Config config_;
  std::unique_ptr<Runtimes> runtimes_;
  Outside* outside_;
  MonotonicTime now_{};
  std::map<std::string, RuntimeState> sockets_;  // at most kMaxSockets; "": there is none
  std::vector<RuntimeState> untold_;             // of the start
  Lru<std::string, Known> known_{kMaxContainers};
  Lru<std::string, bool> unnamed_{kMaxContainers};  // which nobody knows
  // By the hash of its id: many containers, few of which are asked for.
  Lru<std::size_t, std::uint64_t> cgroups_{kMaxContainers};
  Lru<std::string, Pod> pods_{kMaxContainers};              // by uid
  std::unordered_map<std::string, MonotonicTime> awaited_;  // until when; at most kMaxAwaited
  bool late_ = false;  // one was not answered in time, and none since
  std::uint64_t timeouts_ = 0, not_awaited_ = 0;
  Counts counts_;
};

}  // namespace tapio::cri
