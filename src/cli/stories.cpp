// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <map>

#include "cli/commands.hpp"
#include "cli/follow.hpp"
#include "cli/from_json.hpp"
#include "cli/load.hpp"
#include "cli/out.hpp"

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

Status show(const std::string& socket, const Arguments& arguments) {
  std::string answer;
  const Json json = TRY(ask_stories(socket, arguments, answer));
  Out out(STDOUT_FILENO);
  if (arguments.json) {
    out.add(answer);
    out.add("\n");
    return out.write();
  }
  if (json.items().empty()) out.add("No stories yet.\n");
  for (const Json& story : json.items()) append(out.waiting(), story_from_json(story), false);
  return out.write();
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
      arguments.follow ? follow_stories(socket, arguments) : show(socket, arguments);
  return done ? Exit::fine : complain(done.error());
}

}  // namespace tapio::cli
