// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <map>

#include "cli/commands.hpp"
#include "cli/follow.hpp"
#include "cli/from_json.hpp"
#include "cli/load.hpp"
#include "cli/out.hpp"
#include "cli/store.hpp"

namespace tapio::cli {

namespace {

using serve::Json;

// The clocks of what comes out of from_json.hpp: all time is wall time.
constexpr Clocks kWall{};

std::chrono::nanoseconds wall_now() {
  return monotonic_now() + Clocks::read().wall_ahead;
}

void append(std::string& out, const ToldStory& told, bool json) {
  if (json)
    append_story_json(out, told.id, told.story, kWall);
  else
    append_story_text(out, told.id, told.story, kWall, wall_now());
  out += '\n';  // for people: a line between stories
}

Result<Json> ask_stories(const std::string& socket, const Arguments& arguments,
                         std::string& answer) {
  answer = TRY(serve::ask(socket, {.command = serve::Command::stories, .since = arguments.since}));
  return serve::parse_json(answer);
}

// What the store has since then; nothing when there is no store.
std::vector<ReadStory> kept(const Arguments& arguments, const Agent& agent) {
  const auto reader = store::Reader::open(store_path(arguments, agent));
  if (!reader) return {};
  const auto since =
      arguments.since ? wall_now() - *arguments.since : std::chrono::nanoseconds::zero();
  auto stories = stories_in(*reader, since);
  if (stories) return std::move(*stories);
  note("the store: " + stories.error().what);
  return {};
}

// By the agent alone unless there are older ones.
Status show(std::vector<ReadStory> stories, const Arguments& arguments) {
  Out out(STDOUT_FILENO);
  if (arguments.json) out.add("[");
  if (!arguments.json && stories.empty()) out.add("No stories yet.\n");
  for (std::size_t i = 0; i < stories.size(); ++i) {
    if (arguments.json && i > 0) out.add(",");
    if (arguments.json)
      append_story_json(out.waiting(), stories[i].told.id, stories[i].told.story, kWall);
    else
      append(out.waiting(), stories[i].told, false);
  }
  if (arguments.json) out.add("]\n");
  return out.write();
}

Status show(const std::string& socket, const Arguments& arguments, const Agent& agent) {
  std::string answer;
  const auto json = ask_stories(socket, arguments, answer);
  const bool is_there = json || json.error().fault != Fault::unavailable;
  if (!json && is_there) return std::unexpected(json.error());
  // An agent that is asked without a time answers for itself.
  auto stories = is_there && !arguments.since ? std::vector<ReadStory>() : kept(arguments, agent);
  if (!is_there) {
    if (!store::Reader::open(store_path(arguments, agent))) return std::unexpected(json.error());
    note(fmt::format("{}; these are from the store", json.error().what));
    return show(merged(std::move(stories)), arguments);
  }
  if (arguments.json && stories.empty()) {
    Out out(STDOUT_FILENO);
    out.add(answer + "\n");
    return out.write();
  }
  for (const Json& story : json->items())
    stories.insert(stories.begin(), {story_from_json(story), story});
  return show(merged(std::move(stories)), arguments);
}

// Prints stories as they are told, those that were kept first. One that is told again, with more in
// it, is printed again. The stream is open before the kept
// ones are asked for, so that none is missing between; those that come twice are left out.
class Follower {
 public:
  explicit Follower(bool json) : json_(json) {}

  void add_kept(const Json& stories) {
    for (const Json& story : stories.items()) {
      const ToldStory told = story_from_json(story);
      kept_[told.id] = told.story.revision;  // as many as the agent keeps
      append(out_.waiting(), told, json_);
    }
  }
  Result<bool> add_line(std::string_view line) {
    const Json json = TRY(serve::parse_json(line));
    if (json["type"].text() == "gap") {
      add_gap(json, line);
    } else {
      const ToldStory told = story_from_json(json);
      const auto kept = kept_.find(told.id);
      if (kept == kept_.end() || kept->second < told.story.revision)
        append(out_.waiting(), told, json_);
    }
    return true;
  }
  Result<bool> write() {
    TRY(out_.write());
    return !out_.gone();
  }

 private:
  // Gaps of records are no concern here, gaps of stories are.
  void add_gap(const Json& gap, std::string_view line) {
    const auto stage = gap["stage"].text();
    if (stage != "stories" && stage != "stream") return;
    if (json_)
      out_.add(std::string(line) + "\n");
    else
      out_.add(fmt::format("{} stories are missing here.\n\n", gap["count"].count()));
  }

  bool json_;
  Out out_{STDOUT_FILENO};
  std::map<RecordId, std::uint32_t> kept_;  // and its revision
};

Status follow_stories(const std::string& socket, const Arguments& arguments) {
  auto stream = TRY(serve::Stream::open(
      socket, {.command = serve::Command::stream, .names = {std::string(kStorySchema.name)}}));
  std::string answer;
  Follower follower(arguments.json);
  follower.add_kept(TRY(ask_stories(socket, arguments, answer)));
  return follow(stream, std::nullopt,
                {.on_line = [&](std::string_view line) { return follower.add_line(line); },
                 .on_pause = [&] { return follower.write(); }});
}

}  // namespace

Exit stories(const Arguments& arguments, const Agent& agent) {
  const auto socket = socket_path(agent, arguments.socket, load(agent, std::nullopt).tree);
  const Status done =
      arguments.follow ? follow_stories(socket, arguments) : show(socket, arguments, agent);
  return done ? Exit::fine : complain(done.error());
}

}  // namespace tapio::cli
