// SPDX-License-Identifier: Apache-2.0
#include "probe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <thread>

#include "capture/canary.hpp"
#include "figures.hpp"

namespace tapio::matrix {

namespace {

using namespace std::chrono_literals;
using capture::Channel;

constexpr std::size_t kCriticalBytes = 512 << 10;
constexpr std::uint32_t kFairShare = 1000;
constexpr int kPulls = 5;                 // of a trigger, until a record comes
constexpr int kSongs = 5;                 // runs, for the time that one takes
constexpr auto kFlight = 5s;              // at most, from a trigger to its record; emulated
constexpr std::size_t kMaxReason = 4096;  // bytes, of what a trigger has to say

// One load of the observer with the programs that a plan leaves it.
class Attempt {
 public:
  Attempt(const Descriptor& descriptor, capture::Kernel kernel, std::uint32_t cpus_per_ring)
      : descriptor_(descriptor),
        kernel_(std::move(kernel)),
        cpus_per_ring_(cpus_per_ring),
        records_(descriptor.hooks.size()) {}

  Status start(const config::Section& settings) {
    const bool ring = covers(kernel_.features, capture::Feature::ringbuf);
    const auto ns = capture::own_pid_namespace();
    const auto taker = [this](Bytes raw) { take(raw); };
    critical_ = TRY(Channel::open("critical", ring ? Channel::Kind::ring : Channel::Kind::perf,
                                  Channel::Wake::at_once, kCriticalBytes, taker));
    capture::Common common{
        .kernel = kernel_,
        .settings = {.pidns_dev = ns.dev,
                     .pidns_ino = ns.ino,
                     .self_tgid = static_cast<std::uint32_t>(::getpid()),
                     .cgroup_subsystem = capture::find_hierarchy(kernel_.btf).subsystem,
                     .fair_share = kFairShare,
                     .perf = !ring},
        .critical_fd = critical_->map_fd(),
        .critical_bytes = kCriticalBytes,
        .cpus_per_ring = cpus_per_ring_};
    programs_ = std::make_unique<capture::Programs>(std::move(common), taker);
    observer_ = TRY(descriptor_.start({settings, *programs_}));
    if (!programs_->loaded()) return fail(Fault::unsupported, programs_->why_not());
    return {};
  }

  // What the kernel was after the attempt, with the verifier's words.
  [[nodiscard]] const capture::Kernel& after() const {
    return programs_ ? programs_->kernel() : kernel_;
  }
  [[nodiscard]] capture::Programs& programs() { return *programs_; }
  [[nodiscard]] bool has_record(std::size_t hook) const { return records_[hook] > 0; }
  [[nodiscard]] bool has_run(std::size_t hook) const {
    const auto balance = programs_->ledger().balance(static_cast<std::uint32_t>(hook));
    return balance && balance->row.entered > 0;
  }

  // Reads channels until `enough`, or until nothing more can be expected.
  void read_until(const std::function<bool()>& enough, std::chrono::nanoseconds patience) {
    for (const auto until = monotonic_now() + patience;;) {
      critical_->consume();
      programs_->channel().consume();
      if (enough() || monotonic_now() >= until) return;
      programs_->refill(monotonic_now());
      std::this_thread::sleep_for(10ms);
    }
  }

 private:
  void take(Bytes raw) {
    const auto sample = wire::open_sample(raw);
    if (sample && sample->header.kind >> 8 == descriptor_.id &&
        sample->header.hook < records_.size())
      ++records_[sample->header.hook];
  }

  const Descriptor& descriptor_;
  capture::Kernel kernel_;
  std::uint32_t cpus_per_ring_;
  std::vector<std::uint64_t> records_;  // by hook
  std::unique_ptr<Channel> critical_;
  std::unique_ptr<capture::Programs> programs_;
  std::unique_ptr<Observer> observer_;
};

// The defaults, with everything on that a candidate has to be asked for by a setting.
Result<std::unique_ptr<config::Section>> settings_with_all(const Descriptor& descriptor) {
  auto settings = descriptor.settings();
  const std::string prefix = fmt::format("observers.{}.", descriptor.name);
  const std::vector<std::string> on = {"true"};
  for (const auto& hook : descriptor.hooks)
    for (const auto& candidate : hook.candidates)
      if (const std::string_view setting = candidate.setting ? candidate.setting : "";
          setting.starts_with(prefix))
        TRY(settings->set(setting.substr(prefix.size()), on));
  return settings;
}

// In a child: the fault that it came back with, or nothing.
std::optional<Error> pull(const Trigger& trigger) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC)) return from_errno(errno, "make a pipe").error();
  const Fd reader(pipe[0]);
  Fd writer(pipe[1]);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::alarm(kTriggerSeconds);
    const auto pulled = trigger.pull();
    std::string text;
    if (!pulled) text = static_cast<char>(pulled.error().fault) + pulled.error().what;
    text.resize(std::min(text.size(), kMaxReason));
    (void)!::write(writer.get(), text.data(), text.size());
    ::_exit(0);
  }
  writer = Fd();
  std::string text(kMaxReason, '\0');
  const auto got = ::read(reader.get(), text.data(), text.size());
  ::waitpid(pid, nullptr, 0);
  if (got <= 0) return std::nullopt;
  return Error{static_cast<Fault>(text.front()), text.substr(1, static_cast<std::size_t>(got) - 1)};
}

class Probe {
 public:
  Probe(const Descriptor& descriptor, const capture::Kernel& kernel, std::uint32_t cpus_per_ring,
        std::span<const Trigger> triggers, const std::vector<std::string>& song)
      : descriptor_(descriptor),
        kernel_(kernel),
        cpus_per_ring_(cpus_per_ring),
        triggers_(triggers),
        song_(song) {
    for (const auto& hook : descriptor.hooks)
      for (const auto& candidate : hook.candidates) cells_.push_back({&hook, &candidate});
  }

  std::vector<Cell> run() {
    auto settings = settings_with_all(descriptor_);
    if (!settings) return settle(settings.error().what);
    std::string fault = "was not reached";
    for (std::size_t rank = 0; rank < most_candidates(descriptor_.hooks); ++rank) {
      auto done = round(rank, **settings);
      if (!done && done.error().fault == Fault::unavailable)  // the canary: a busy machine is slow
        done = round(rank, **settings);
      if (!done) fault = done.error().what;
    }
    return settle(fault);
  }

 private:
  // Each attempt that fails frees a hook at least, so there are at most that many and one more.
  Status round(std::size_t rank, const config::Section& settings) {
    for (Plan plan(descriptor_.hooks, rank, kernel_);;) {
      Attempt attempt(descriptor_, plan.kernel(), cpus_per_ring_);
      const auto started = attempt.start(settings);
      for (Cell& cell : cells_)
        if (auto why = why_not(*cell.candidate, attempt.after());
            why && cell.state == State::untried)
          cell.state = why->state, cell.reason = why->reason;
      if (started) return trigger(attempt);
      if (!plan.free_refused(attempt.after())) return started;
    }
  }

  // One canary after the other: those that live at once would hold each other's pipes open.
  Status trigger(Attempt& attempt) {
    const Fd counting = count_runs();
    const auto mark = [&](std::uint32_t tgid) { return attempt.programs().set_canary(tgid); };
    for (int i = 0; i < kSongs; ++i) {
      auto canary = TRY(capture::Canary::hatch(song_));
      TRY(canary.sing(mark));
    }
    attempt.read_until([&] { return all_canary_hooks_seen(attempt); }, kFlight);
    for (const auto& trigger : triggers_) pull_and_wait(attempt, trigger);
    for (std::size_t hook = 0; hook < descriptor_.hooks.size(); ++hook) note(attempt, hook);
    return {};
  }

  [[nodiscard]] bool all_canary_hooks_seen(Attempt& attempt) const {
    for (std::size_t i = 0; i < descriptor_.hooks.size(); ++i)
      if (descriptor_.hooks[i].trigger == capture::Trigger::canary &&
          attempt.programs().choices()[i].program && !attempt.has_record(i))
        return false;
    return true;
  }

  // More than once: events are limited, unlike the canary's, and others may have used up the limit.
  void pull_and_wait(Attempt& attempt, const Trigger& trigger) {
    const auto at = std::ranges::find(descriptor_.hooks, trigger.hook, &capture::Hook::name);
    if (at == descriptor_.hooks.end()) return;
    const auto hook = static_cast<std::size_t>(at - descriptor_.hooks.begin());
    if (!attempt.programs().choices()[hook].program) return;
    for (int i = 0; i < kPulls && !attempt.has_record(hook); ++i) {
      attempt.programs().refill(monotonic_now());
      pulled_[at->name] = pull(trigger);
      attempt.read_until([&] { return attempt.has_record(hook); }, kFlight / kPulls);
    }
  }

  // What the attempt showed of the program that serves the hook.
  void note(Attempt& attempt, std::size_t hook) {
    const auto& served = descriptor_.hooks[hook];
    const char* program = attempt.programs().choices()[hook].program;
    const auto cell = std::ranges::find_if(cells_, [&](const Cell& c) {
      return c.hook == &served && program && std::string_view(program) == c.candidate->program;
    });
    if (cell == cells_.end()) return;
    const auto state = attempt.has_record(hook) ? State::fired
                       : attempt.has_run(hook)  ? State::ran
                                                : State::attached;
    if (state <= cell->state) return;
    cell->state = state;
    cell->reason.clear();
    cell->triggered = served.trigger == capture::Trigger::canary;
    if (const auto pulled = pulled_.find(served.name); pulled != pulled_.end()) {
      cell->triggered = !pulled->second || pulled->second->fault != Fault::unsupported;
      if (pulled->second) cell->reason = "trigger: " + pulled->second->what;
    }
    const auto index = static_cast<std::uint32_t>(hook);
    const auto* loaded = attempt.programs().program_of(index);
    const auto runs = runs_of(loaded);
    cell->runs = runs.count, cell->run_ns = runs.ns;
    cell->verified = verified_instructions(loaded);
  }

  std::vector<Cell> settle(const std::string& fault) {
    for (Cell& cell : cells_)
      if (cell.state == State::untried) cell.reason = fault;
    return std::move(cells_);
  }

  const Descriptor& descriptor_;
  const capture::Kernel& kernel_;
  std::uint32_t cpus_per_ring_;
  std::span<const Trigger> triggers_;
  const std::vector<std::string>& song_;
  std::vector<Cell> cells_;
  std::map<std::string, std::optional<Error>> pulled_;  // by hook
};

}  // namespace

std::vector<Cell> try_programs(const Descriptor& descriptor, const capture::Kernel& kernel,
                               std::uint32_t cpus_per_ring, std::span<const Trigger> triggers,
                               const std::vector<std::string>& song) {
  return Probe(descriptor, kernel, cpus_per_ring, triggers, song).run();
}

}  // namespace tapio::matrix
