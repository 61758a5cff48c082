// SPDX-License-Identifier: Apache-2.0
#include "crash_loop_rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "evaluate/names.hpp"
#include "evaluate/pressure.hpp"
#include "evaluate/words.hpp"

namespace tapio::crash_loop {

namespace {

constexpr double kSure = 0.95;  // each death is a record
constexpr double kLess = 0.9;   // what the exits mean is the program's own

std::string how(std::int32_t signal, std::int32_t code) {
  return signal != 0 ? signal_name(signal) : fmt::format("exit status {}", code);
}

std::string starter_of(const Detected& loop) {
  return loop.other ? label(loop.other_name, loop.other) : "somebody";
}

Cause cause_of(const Detected& loop, const std::string& entity) {
  const auto signal = signal_number(loop.detail);
  if (signal == 0 || signal == SIGABRT)
    return {.kind = "self",
            .entity = entity,
            .detail = fmt::format("it ends by itself with {}", loop.detail)};
  if (signal == SIGKILL || signal == SIGSYS)
    return {.kind = "kernel", .entity = "kernel", .detail = "the kernel kills it each time"};
  return {.kind = "fault",
          .entity = entity,
          .detail = fmt::format("an instruction of its own raises {}", loop.detail)};
}

}  // namespace

void CrashLoopRule::on_fact(const Fact& fact, const World& world, Tell& tell) {
  if (const auto* exited = std::get_if<ProcessExited>(&fact)) note(*exited, world);
  const auto* loop = std::get_if<Detected>(&fact);
  if (!loop || loop->what != Detection::crash_loop || !incidents_.is_news(*loop)) return;
  Story story = story_of(*loop);
  const bool crashed = loop->detail.starts_with("SIG");
  story.title = fmt::format("{} {} {} with {}: crash loop",
                            loop->process_name.empty() ? loop->executable : loop->process_name,
                            crashed ? "crashed" : "failed", often(*loop), loop->detail);
  story.cause = cause_of(*loop, story.entity);
  story.confidence = crashed ? kSure : kLess;
  add_steps(story, *loop, deaths_of(*loop), world);
  add_pressure(story, world);
  tell.push_back(std::move(story));
}

void CrashLoopRule::note(const ProcessExited& fact, const World& world) {
  if (fact.signal == 0 && fact.code == 0) return;
  const Process* process = world.process(fact.process);
  deaths_.push_back({.evidence = fact.evidence,
                     .process = fact.process,
                     .started = process ? process->started : MonotonicTime(),
                     .time = fact.time,
                     .signal = fact.signal,
                     .code = fact.code,
                     .core_dumped = fact.core_dumped});
  if (deaths_.size() > kMaxDeaths) deaths_.pop_front();
}

std::vector<CrashLoopRule::Death> CrashLoopRule::deaths_of(const Detected& loop) const {
  std::vector<Death> list;
  for (const Death& death : deaths_)
    if (std::ranges::find(loop.because, death.evidence) != loop.because.end())
      list.push_back(death);
  return list;
}

// "pid 812 with SIGSEGV, core dumped, 12 ms after its start"
std::string CrashLoopRule::step(const Death& death) {
  std::string text =
      fmt::format("pid {} with {}{}", death.process.pid, how(death.signal, death.code),
                  death.core_dumped ? ", core dumped," : "");
  if (death.started.count() != 0)
    text += fmt::format(" {} after its start", in_words(death.time - death.started));
  return text;
}

void CrashLoopRule::add_steps(Story& story, const Detected& loop, const std::vector<Death>& deaths,
                              const World& world) {
  const auto starter = starter_of(loop);
  const auto line = loop.other ? lineage(loop.other, loop.time, world) : "";
  story.chain.push_back(
      fmt::format("{}{} starts {}", line.empty() ? "" : line + " › ", starter, loop.executable));
  if (!deaths.empty())
    story.chain.push_back(fmt::format("the first death: {}", step(deaths.front())));
  for (std::size_t i = 1; i < deaths.size(); ++i)
    story.chain.push_back(fmt::format("{} later, {}", in_words(deaths[i].time - deaths[i - 1].time),
                                      step(deaths[i])));
  story.chain.push_back(
      fmt::format("{} starts it again each time, {} so far", starter, often(loop)));
}

}  // namespace tapio::crash_loop
