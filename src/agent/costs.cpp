// SPDX-License-Identifier: Apache-2.0
#include "agent/costs.hpp"

#include <algorithm>

namespace tapio::agent {

namespace {

using Seconds = std::chrono::duration<double>;
using std::chrono::nanoseconds;

nanoseconds times(nanoseconds time, double factor) {
  return nanoseconds(static_cast<std::int64_t>(static_cast<double>(time.count()) * factor));
}

// Counters of a program that was loaded anew begin anew.
std::uint64_t grown(std::uint64_t from, std::uint64_t to) {
  return to >= from ? to - from : to;
}
nanoseconds grown(nanoseconds from, nanoseconds to) {
  return to >= from ? to - from : to;
}

double share(nanoseconds spent, Seconds of) {
  return of.count() > 0 ? Seconds(spent) / of : 0;
}

}  // namespace

bool Costs::is_due(MonotonicTime now) const {
  return now >= next_;
}

void Costs::begin(Readings now) {
  next_ = now.time + kWindow;
  begun_ = std::move(now);
  counting_ = true;
}

bool Costs::may_end(const Readings& now) const {
  std::uint64_t runs = 0;
  for (const ProgramReading& to : now.programs)
    runs += grown(before(begun_, to).ran.runs, to.ran.runs);
  return runs >= kEnough || now.time >= begun_.time + kLongest;
}

void Costs::end(Readings now) {
  counting_ = false;
  next_ = begun_.time + kEvery;
  window_ = now.time - begun_.time;
  since_ = now.time - settled_.time;
  std::uint64_t events = 0, runs = 0;
  for (const ProgramReading& to : now.programs) {
    const Key key{to.observer, to.program};
    const ProgramReading& from = before(begun_, to);
    events += grown(from.events, to.events);
    runs += grown(from.ran.runs, to.ran.runs);
    settle(programs_[key], pools_[key], from, to);
  }
  if (events > 0) blind_ = runs == 0;
  settle_observers(now);
  known_ = true;
  settled_ = std::move(now);
}

void Costs::Pool::add(nanoseconds counted, std::uint64_t of) {
  time += counted;
  events += of;
  if (events <= kPooled) return;
  const double kept = static_cast<double>(kPooled) / static_cast<double>(events);
  time = times(time, kept);
  events = kPooled;
}

nanoseconds Costs::Pool::of(std::uint64_t others) const {
  if (events == 0) return {};
  return times(time, static_cast<double>(others) / static_cast<double>(events));
}

// What was counted is known, and the events between windows are taken for such as those within.
// A run that is nobody's business is no event. Where most runs are, as with filters of packets,
// they tell nothing of the runs between windows: then time does.
void Costs::settle(Program& program, Pool& pool, const ProgramReading& from,
                   const ProgramReading& to) {
  const std::uint64_t runs = grown(from.ran.runs, to.ran.runs);
  const std::uint64_t events = grown(from.events, to.events);
  const std::uint64_t all = grown(before(settled_, to).events, to.events);
  const nanoseconds time = grown(from.ran.time, to.ran.time);
  nanoseconds spent{};
  if (runs > 2 * events) {
    spent = times(time, since_ / window_);
    program.runs_per_second = static_cast<double>(runs) / window_.count();
  } else {
    pool.add(time, events);
    spent = time + pool.of(all - std::min(all, events));
    program.runs_per_second = static_cast<double>(all) / since_.count();
  }
  if (runs > 0) program.ns_per_run = static_cast<double>(time.count()) / static_cast<double>(runs);
  program.cost.spent += spent;
  program.cost.share = share(spent, since_);
}

void Costs::settle_observers(const Readings& now) {
  const nanoseconds in_window = grown(begun_.pipeline, now.pipeline);
  const nanoseconds in_all = grown(settled_.pipeline, now.pipeline);
  if (in_window <= nanoseconds{}) return;
  for (const auto& [observer, metered] : now.observers) {
    const auto from = begun_.observers.find(observer);
    const nanoseconds busy =
        grown(from == begun_.observers.end() ? nanoseconds{} : from->second, metered);
    // What was metered is time that passes; more of it than there was of CPU time is none.
    const nanoseconds spent =
        times(std::min(busy, in_window),
              static_cast<double>(in_all.count()) / static_cast<double>(in_window.count()));
    Cost& cost = observers_[observer];
    cost.spent += spent;
    cost.share = share(spent, since_);
  }
}

const Costs::ProgramReading& Costs::before(const Readings& readings, const ProgramReading& now) {
  static constexpr ProgramReading kNone;
  const auto found = std::ranges::find_if(readings.programs, [&](const ProgramReading& each) {
    return each.observer == now.observer && each.program == now.program;
  });
  return found == readings.programs.end() ? kNone : *found;
}

Costs::Cost Costs::kernel_side(std::string_view observer) const {
  Cost sum;
  for (const auto& [key, program] : programs_) {
    if (key.first != observer) continue;
    sum.spent += program.cost.spent;
    sum.share += program.cost.share;
  }
  return sum;
}

nanoseconds Costs::kernel_side(const Readings& from, const Readings& to) const {
  nanoseconds sum{};
  for (const ProgramReading& reading : to.programs) {
    const Key key{reading.observer, reading.program};
    const std::uint64_t events = grown(before(from, reading).events, reading.events);
    const auto pool = pools_.find(key);
    if (pool != pools_.end() && pool->second.events > 0)
      sum += pool->second.of(events);
    else if (const auto program = programs_.find(key); program != programs_.end())
      sum += times(to.time - from.time, program->second.cost.share);
  }
  return sum;
}

Costs::Cost Costs::user_side(std::string_view observer) const {
  const auto found = observers_.find(observer);
  return found == observers_.end() ? Cost{} : found->second;
}

}  // namespace tapio::agent
