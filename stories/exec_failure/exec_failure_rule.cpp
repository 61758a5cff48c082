// SPDX-License-Identifier: Apache-2.0
#include "exec_failure_rule.hpp"

#include <fmt/format.h>

#include "evaluate/names.hpp"
namespace tapio::exec_failure {

namespace {

// Its name says which file; without one, an exit status is all that tells.
constexpr double kSeen = 0.95, kConcluded = 0.7;

}  // namespace

void ExecFailureRule::on_fact(const Fact& fact, const World& world, Tell& tell) {
  const auto* loop = std::get_if<Detected>(&fact);
  if (!loop || loop->what != Detection::exec_failure_loop || !incidents_.is_news(*loop)) return;
  Story story = story_of(*loop);
  const bool named = !loop->executable.empty();
  const auto program = named ? loop->executable : std::string_view("a program");
  story.title =
      fmt::format("{} tried {} to start {}: {}", story.entity, often(*loop), program, loop->detail);
  story.cause = {.kind = "self",
                 .entity = story.entity,
                 .detail = fmt::format("{} goes on trying to start {}, which cannot be started: {}",
                                       story.entity, program, loop->detail)};
  story.confidence = named ? kSeen : kConcluded;
  if (const auto line = lineage(loop->process, loop->time, world); !line.empty())
    story.chain.push_back(fmt::format("{} started {}", line, story.entity));
  if (loop->other)
    story.chain.push_back(
        fmt::format("it forks a child for each attempt, the latest with pid {}", loop->other.pid));
  story.chain.push_back(fmt::format("{} failed {}: {}", named ? "the exec" : "the start",
                                    often(*loop), loop->detail));
  tell.push_back(std::move(story));
}

}  // namespace tapio::exec_failure
