// SPDX-License-Identifier: Apache-2.0
#include "play.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <thread>

#include "base/clock.hpp"
#include "base/text.hpp"

namespace tapio {

using namespace std::chrono_literals;

namespace {

using Ids = std::vector<std::string>;

constexpr auto kBetweenQuestions = 100ms;

// Ids of stories that were told before. A pid may have been another's then: under load they come
// round in seconds.
using Earlier = std::set<std::string>;

Result<Earlier> told_by(const Agent& agent) {
  Earlier ids;
  const auto json = TRY(agent.stories());
  for (auto& told : TRY(read_stories(json))) ids.insert(std::move(told.id));
  return ids;
}

Result<Answer> ask(const Agent& agent, const Earlier& earlier) {
  Answer answer{.json = TRY(agent.stories()), .stories = {}, .records = {}};
  answer.stories = TRY(read_stories(answer.json));
  std::erase_if(answer.stories, [&](const Told& told) { return earlier.contains(told.id); });
  return answer;
}

// The last answer, be it that there is no such story.
Result<Answer> wait_for_story_about(pid_t pid, std::string_view title, const Agent& agent,
                                    const Earlier& earlier, std::chrono::milliseconds patience) {
  const auto deadline = monotonic_now() + patience;
  while (true) {
    auto answer = TRY(ask(agent, earlier));
    if (!about(answer.stories, pid, title).empty() || monotonic_now() > deadline) return answer;
    std::this_thread::sleep_for(kBetweenQuestions);
  }
}

// A later death of which a story is always told. By its status and not by a signal: those records
// overtake others.
Result<pid_t> die_as_a_mark(Stage& stage) {
  constexpr int kLikeSigkill = 137;
  const auto mark = TRY(stage.start("mark", [](const Stage::Ready& ready) {
    ready({});
    return kLikeSigkill;
  }));
  TRY(stage.must_exit(mark.pid, kLikeSigkill));
  return mark.pid;
}

Status judge(const Expectation& expected, const Agent& agent, const Earlier& earlier,
             std::chrono::milliseconds patience, Stage& stage, Outcome& outcome) {
  const bool silence = expected.kind.empty();
  const pid_t awaited = silence ? TRY(die_as_a_mark(stage)) : expected.pid;
  const auto done = monotonic_now();
  auto answer =
      TRY(wait_for_story_about(awaited, silence ? "" : expected.title, agent, earlier, patience));
  outcome.told_after =
      std::chrono::duration_cast<std::chrono::milliseconds>(monotonic_now() - done);
  if (const auto found = about(answer.stories, expected.pid, expected.title); !found.empty())
    outcome.told = *found.front();
  const auto missing = TRY(agent.not_in_store(outcome.told ? outcome.told->evidence : Ids{}));
  if (!expected.recorded.empty() || !expected.nowhere.empty())
    answer.records = agent.records();  // what the store has, the other sink has too
  outcome.wrong = mistakes(expected, answer);
  if (silence && about(answer.stories, awaited).empty())
    outcome.wrong.push_back(fmt::format("no story about pid {}, which died later", awaited));
  if (silence && outcome.wrong.empty())
    stage.note("nothing was told about it, only about the mark");
  for (const auto& id : missing)
    outcome.wrong.push_back(fmt::format("tapio query does not find its evidence {}", id));
  return {};
}

void append_story(std::string& out, const Told& told) {
  const auto line = [&](std::string_view head, std::string_view text) {
    fmt::format_to(std::back_inserter(out), "    {:<9}{}\n", head, printable(text));
  };
  line("told", told.title);
  for (std::size_t i = 0; i < told.chain.size(); ++i)
    line(i == 0 ? "because" : "then", told.chain[i]);
  line("cause", fmt::format("{}: {}", told.kind, told.detail));
  line("sure",
       fmt::format("{:.2f}, by the records {}", told.confidence, fmt::join(told.evidence, " ")));
}

void append_list(std::string& out, const std::vector<std::string>& texts) {
  out += '[';
  for (const auto& text : texts) {
    if (out.back() != '[') out += ',';
    append_json_string(out, text);
  }
  out += ']';
}

}  // namespace

Outcome play(const Scenario& scenario, const Agent& agent, std::chrono::milliseconds patience) {
  Outcome outcome{.name = scenario.name, .what = scenario.what};
  Stage stage(patience);
  const auto played = [&]() -> Status {
    const auto earlier = TRY(told_by(agent));
    return judge(TRY(scenario.run(stage)), agent, earlier, patience, stage, outcome);
  }();
  if (!played) outcome.wrong.push_back(played.error().what);
  outcome.notes = stage.notes();
  return outcome;
}

Outcome play_late(const Scenario& scenario, const std::string& program,
                  std::chrono::milliseconds patience) {
  Outcome outcome{.name = scenario.name, .what = scenario.what};
  std::optional<Agent> agent;
  Stage stage(patience, [&]() -> Status {
    agent.emplace(TRY(Agent::start(program, patience)));
    return {};
  });
  const auto played = [&]() -> Status {
    const auto expected = TRY(scenario.run(stage));
    if (!agent) return fail(Fault::broken, "the scenario did not say where its incident begins");
    return judge(expected, *agent, {}, patience, stage, outcome);
  }();
  if (!played) outcome.wrong.push_back(played.error().what);
  outcome.notes = stage.notes();
  if (agent) std::ranges::copy(play_end(*agent).wrong, std::back_inserter(outcome.wrong));
  return outcome;
}

Outcome play_end(Agent& agent) {
  Outcome outcome{.name = "stops_cleanly",
                  .what = "The agent gets SIGINT, exits with 0 and leaves nothing in the kernel."};
  const auto held = agent.stop();
  if (held)
    outcome.notes.push_back(fmt::format("its {} programs and {} maps are gone",
                                        held->programs.size(), held->maps.size()));
  else
    outcome.wrong.push_back(
        fmt::format("{}; its log ends\n{}", held.error().what, agent.log_tail()));
  return outcome;
}

std::string in_text(const Outcome& outcome) {
  std::string out = fmt::format("{}: {}\n", outcome.name, outcome.what);
  for (const auto& note : outcome.notes) out += fmt::format("    {}\n", note);
  if (outcome.told) append_story(out, *outcome.told);
  for (const auto& mistake : outcome.wrong) out += fmt::format("  WRONG: {}\n", printable(mistake));
  if (outcome.wrong.empty())
    out += outcome.told ? fmt::format("  ok, after {:.1f} s\n", outcome.told_after.count() / 1000.0)
                        : std::string("  ok\n");
  return out;
}

std::string in_json(const Outcome& outcome) {
  std::string out = R"({"name":)";
  append_json_string(out, outcome.name);
  out += R"(,"what":)";
  append_json_string(out, outcome.what);
  out += fmt::format(R"(,"passed":{},"wrong":)", outcome.wrong.empty());
  append_list(out, outcome.wrong);
  out += R"(,"done":)";
  append_list(out, outcome.notes);
  if (outcome.told) {
    out += fmt::format(R"(,"told_after_ms":{},"story":)", outcome.told_after.count());
    append_json_string(out, outcome.told->id);
    out += R"(,"title":)";
    append_json_string(out, outcome.told->title);
    out += R"(,"chain":)";
    append_list(out, outcome.told->chain);
    out += fmt::format(R"(,"confidence":{})", outcome.told->confidence);
  }
  return out + "}\n";
}

}  // namespace tapio
