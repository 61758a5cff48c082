// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/from_json.hpp"
#include "cli/load.hpp"
#include "cli/out.hpp"
#include "cli/record_words.hpp"
#include "cli/store.hpp"
#include "cli/thing.hpp"
#include "enrich/proc.hpp"
#include "evaluate/words.hpp"
#include "record/json.hpp"
#include "serve/client.hpp"

namespace tapio::cli {

namespace {

using serve::Json;
using std::chrono::nanoseconds;

constexpr Clocks kWall{};             // of what comes out of from_json.hpp: all time is wall time
constexpr std::size_t kMaxTold = 10;  // stories in full
constexpr std::size_t kMaxHead = 6;   // lines of a life at its begin,
constexpr std::size_t kMaxTail = 24;  // and at its end
constexpr nanoseconds kAround = std::chrono::seconds(10);  // of a life, that its stories are in

// What is alive now under the pid.
struct Alive {
  std::string process_id, name, executable;
  nanoseconds since{};  // of the epoch
};

// Everything that is known of a thing.
struct Answer {
  Thing thing;
  std::vector<Life> lives;         // the latest first
  std::vector<ReadStory> stories;  // the newest first
  std::optional<Alive> alive;
  nanoseconds store_reach{}, agent_began{};  // 0: there is none
  bool asked = false;                        // the agent, or the store, has answered
  std::string suggestion;

  [[nodiscard]] bool empty() const { return lives.empty() && stories.empty() && !alive; }
};

nanoseconds wall_now() {
  return monotonic_now() + Clocks::read().wall_ahead;
}

std::string when(nanoseconds time) {
  const auto now = wall_now();
  const auto ago = now >= time ? fmt::format(", {} ago", in_words(now - time)) : "";
  return rfc3339(time) + ago;
}

std::string title(const Life& life) {
  return life.name.empty() ? fmt::format("pid {}", life.pid)
                           : fmt::format("{} (pid {})", printable(life.name), life.pid);
}

std::optional<Alive> find_alive(std::uint32_t pid) {
  if (pid == 0) return std::nullopt;
  const auto proc = proc::Reader::open();
  if (!proc) return std::nullopt;
  const auto found = proc->read(pid);
  if (!found) return std::nullopt;
  const auto clocks = Clocks::read();
  const nanoseconds since_boot = told_start(found->process);
  return Alive{.process_id = text(found->process),
               .name = found->name,
               .executable = found->executable,
               .since = since_boot - clocks.boottime_ahead + clocks.wall_ahead};
}

bool is_named(std::string_view entity, const Life& life) {
  return entity.ends_with(fmt::format("(pid {})", life.pid));
}

bool is_of(const Story& story, const Life& life) {
  if (story.time < life.first - kAround || story.time > life.last + kAround) return false;
  return is_named(story.entity, life) || is_named(story.cause.entity, life);
}

// By the keys that say where it was; else by the processes that the store has of the thing.
bool is_about(const ReadStory& each, const Thing& thing, std::span<const Life> lives) {
  const Story& story = each.told.story;
  switch (thing.kind) {
    case Thing::Kind::story:
      return each.told.id.text() == thing.text;
    case Thing::Kind::container:
      if (each.json["container.id"].text().starts_with(thing.text)) return true;
      break;
    case Thing::Kind::unit:
      if (each.json["systemd.unit"].text() == thing.text) return true;
      if (story.entity.contains(thing.text)) return true;
      break;
    case Thing::Kind::name:
      if (story.entity.starts_with(thing.text + " (pid ")) return true;
      break;
    case Thing::Kind::pid:
      if (lives.empty() && story.entity.ends_with(fmt::format("(pid {})", thing.pid))) return true;
      break;
    case Thing::Kind::executable:
      break;
  }
  return std::ranges::any_of(lives, [&](const Life& life) { return is_of(story, life); });
}

class Asker {
 public:
  Asker(const Arguments& arguments, const Agent& agent) : arguments_(arguments), agent_(agent) {}

  Result<Answer> answer() {
    Answer answer{.thing = TRY(parse_thing(arguments_.thing)), .stories = {}};
    since_ = arguments_.since ? wall_now() - *arguments_.since : nanoseconds::zero();
    std::vector<ReadStory> all = ask_agent(answer);
    const auto reader = store::Reader::open(store_path(arguments_, agent_));
    answer.asked = answer.asked || reader;
    if (reader)
      TRY(ask_store(*reader, answer, all));
    else
      note(fmt::format("no history: {}", reader.error().what));
    answer.alive = find_alive(answer.thing.pid);
    all = merged(std::move(all));
    std::ranges::reverse(all);
    for (ReadStory& story : all)
      if (is_about(story, answer.thing, answer.lives)) answer.stories.push_back(std::move(story));
    if (!reader) return answer;
    const History history(*reader);
    if (answer.empty()) answer.suggestion = history.suggestion(answer.thing);
    keep_evidence(history, answer);
    return answer;
  }

  [[nodiscard]] const std::vector<Json>& successors() const { return successors_; }
  // nullptr: the store has it not.
  [[nodiscard]] const Json* evidence(const RecordId& id) const {
    const auto found = evidence_.find(id);
    return found == evidence_.end() ? nullptr : &found->second;
  }

 private:
  std::vector<ReadStory> ask_agent(Answer& answer) {
    const auto socket = socket_path(agent_, arguments_.socket, load(agent_, std::nullopt).tree);
    std::vector<ReadStory> out;
    const auto said =
        serve::ask(socket, {.command = serve::Command::stories, .since = arguments_.since});
    const auto json = said ? serve::parse_json(*said) : std::unexpected(said.error());
    if (!json) {
      note(json.error().what);
      return out;
    }
    answer.asked = true;
    for (const Json& story : json->items()) out.push_back({story_from_json(story), story});
    if (const auto status = serve::ask(socket, {.command = serve::Command::status}))
      if (const auto parsed = serve::parse_json(*status)) {
        const auto up = std::min<std::uint64_t>((*parsed)["uptime_seconds"].count(), 1'000'000'000);
        answer.agent_began = wall_now() - std::chrono::seconds(up);
      }
    return out;
  }

  Status ask_store(const store::Reader& reader, Answer& answer, std::vector<ReadStory>& all) {
    const History history(reader);
    answer.store_reach = history.reach();
    answer.lives = TRY(history.lives(answer.thing, since_));
    for (Life& life : answer.lives) TRY(history.fill(life));
    std::ranges::sort(answer.lives, std::greater(), &Life::first);
    if (!answer.lives.empty()) successors_ = TRY(history.successors(answer.lives.front()));
    for (ReadStory& story : TRY(stories_in(reader, since_))) all.push_back(std::move(story));
    return {};
  }

  void keep_evidence(const History& history, const Answer& answer) {
    for (std::size_t i = 0; i < std::min(answer.stories.size(), kMaxTold); ++i)
      for (const RecordId& id : answer.stories[i].told.story.evidence)
        if (auto record = history.record(id.text())) evidence_.emplace(id, std::move(*record));
  }

  const Arguments& arguments_;
  const Agent& agent_;
  nanoseconds since_{};
  std::vector<Json> successors_;
  std::map<RecordId, Json> evidence_;
};

void append_section(std::string& out, std::string_view head, const std::vector<std::string>& lines,
                    std::string_view told) {
  if (lines.empty() || told.contains(printable(lines.front()))) return;
  fmt::format_to(std::back_inserter(out), "  {}\n", head);
  for (const auto& line : lines)
    fmt::format_to(std::back_inserter(out), "    {}\n", printable(line));
}

void append_story(std::string& out, const ReadStory& each, const Asker& asker) {
  const Story& story = each.told.story;
  std::string told;
  append_story_text(told, each.told.id, story, kWall, wall_now());
  out += told;
  append_section(out, "changes before it", story.changes, told);
  append_section(out, "what else was hit", story.impact, told);
  append_section(out, "what could not be seen", story.missing, told);
  for (const RecordId& id : story.evidence) {
    const Json* record = asker.evidence(id);
    out += record ? fmt::format("    {}\n", record_line(*record))
                  : fmt::format("    {}  is not in the store\n", id.text());
  }
  out += '\n';
}

// Those of its begin and of its end. A death is told by the exit that follows it.
void append_records(std::string& out, const Life& life) {
  std::vector<std::string> lines;
  for (const Json& record : life.records)
    if (record["name"].text() != "process.death" || &record == life.end())
      lines.push_back(record_line(record));
  const std::size_t count = lines.size();
  const std::size_t gap_end = count > kMaxHead + kMaxTail ? count - kMaxTail : kMaxHead;
  for (std::size_t i = 0; i < count; ++i) {
    if (i >= kMaxHead && i < gap_end) continue;
    if (i == gap_end && i > kMaxHead)
      fmt::format_to(std::back_inserter(out), "    … {} more …\n", gap_end - kMaxHead);
    fmt::format_to(std::back_inserter(out), "    {}\n", lines[i]);
  }
}

void append_life(std::string& out, const Life& life, const std::optional<Alive>& alive) {
  const Json* end = life.end();
  const bool lives_on = !end && alive && alive->process_id == life.process_id;
  fmt::format_to(std::back_inserter(out), "{}\n", title(life));
  fmt::format_to(std::back_inserter(out), "  {:<11}{}\n", life.begin() ? "began" : "first seen",
                 when(life.first));
  if (end)
    fmt::format_to(std::back_inserter(out), "  {:<11}{}: {}\n", "ended", when(time_of(*end)),
                   what_happened(*end));
  else
    fmt::format_to(std::back_inserter(out), "  {:<11}{}\n", lives_on ? "now" : "last seen",
                   lives_on ? "alive" : when(life.last));
  append_records(out, life);
  if (life.cut) out += "    and more: ask `tapio query`\n";
}

void append_alive(std::string& out, const Answer& answer) {
  const auto& alive = answer.alive;
  const auto known = [&](const Life& life) { return life.process_id == alive->process_id; };
  if (!alive || std::ranges::any_of(answer.lives, known)) return;
  fmt::format_to(std::back_inserter(out), "{} (pid {}) is alive, since {}\n",
                 printable(alive->name), answer.thing.pid, when(alive->since));
  if (!alive->executable.empty())
    fmt::format_to(std::back_inserter(out), "  runs       {}\n", printable(alive->executable));
  if (answer.asked)
    out += "  Nothing that was kept is about it: it began before Tapio watched, or does little.\n";
}

// Several processes had the pid, the name, the unit; which one this is about.
void append_candidates(std::string& out, const Answer& answer, bool all) {
  if (answer.lives.size() < 2) return;
  fmt::format_to(std::back_inserter(out), "{} {} fits {} processes{}:\n", name(answer.thing.kind),
                 printable(answer.thing.text), answer.lives.size(),
                 all ? "" : "; the latest is shown, --all shows all");
  for (const Life& life : answer.lives)
    fmt::format_to(std::back_inserter(out), "  {}  {}\n", rfc3339(life.first), title(life));
  out += '\n';
}

void append_successors(std::string& out, const std::vector<Json>& successors) {
  if (successors.empty()) return;
  out += "  started again after it\n";
  for (const Json& record : successors)
    fmt::format_to(std::back_inserter(out), "    {}\n", record_line(record));
}

constexpr std::string_view kNobodyAsked = "There is neither an agent nor a store to ask";

std::string nothing_known(const Answer& answer) {
  std::string out = fmt::format("Nothing is known of {} {}.\n", name(answer.thing.kind),
                                printable(answer.thing.text));
  if (!answer.asked) out += fmt::format("  {}.\n", kNobodyAsked);
  if (answer.agent_began.count() > 0)
    out += fmt::format("  The agent has been watching since {}.\n", when(answer.agent_began));
  if (answer.store_reach.count() > 0)
    out += fmt::format("  The store reaches back to {}.\n", when(answer.store_reach));
  if (!answer.suggestion.empty())
    out += fmt::format("  Did you mean {}?\n", printable(answer.suggestion));
  return out;
}

std::string text_of(const Answer& answer, const Asker& asker, bool all) {
  if (answer.empty()) return nothing_known(answer);
  std::string out;
  append_candidates(out, answer, all);
  const std::size_t told = std::min(answer.stories.size(), kMaxTold);
  for (std::size_t i = 0; i < told; ++i) append_story(out, answer.stories[i], asker);
  if (told < answer.stories.size())
    out += fmt::format("{} older stories: `tapio stories`\n\n", answer.stories.size() - told);
  if (answer.stories.empty())
    out += answer.asked ? "No story is about it: nothing was wrong, as far as seen.\n\n"
                        : fmt::format("{}, so what happened is not known.\n\n", kNobodyAsked);
  append_alive(out, answer);
  const std::size_t lives =
      all ? answer.lives.size() : std::min<std::size_t>(answer.lives.size(), 1);
  for (std::size_t i = 0; i < lives; ++i) {
    append_life(out, answer.lives[i], answer.alive);
    if (i == 0) append_successors(out, asker.successors());
    if (i + 1 < lives) out += '\n';
  }
  return out;
}

void append_json(std::string& out, const Json& json) {
  std::visit(
      [&]<typename T>(const T& value) {
        if constexpr (std::is_same_v<T, std::string>) {
          append_json_string(out, value);
        } else if constexpr (std::is_same_v<T, Json::List>) {
          out += '[';
          for (std::size_t i = 0; i < value.size(); ++i)
            append_json(i > 0 ? out += ',' : out, value[i]);
          out += ']';
        } else if constexpr (std::is_same_v<T, Json::Object>) {
          out += '{';
          for (std::size_t i = 0; i < value.size(); ++i) {
            append_json_string(i > 0 ? out += ',' : out, value[i].key);
            append_json(out += ':', value[i].value);
          }
          out += '}';
        } else if constexpr (std::is_same_v<T, std::monostate>) {
          out += "null";
        } else {
          fmt::format_to(std::back_inserter(out), "{}", value);
        }
      },
      json.value);
}

void append_json_list(std::string& out, std::span<const Json> list) {
  out += '[';
  for (std::size_t i = 0; i < list.size(); ++i) append_json(i > 0 ? out += ',' : out, list[i]);
  out += ']';
}

void append_json(std::string& out, const Life& life) {
  out += R"({"id":)";
  append_json_string(out, life.process_id);
  fmt::format_to(std::back_inserter(out), R"(,"pid":{},"name":)", life.pid);
  append_json_string(out, life.name);
  fmt::format_to(std::back_inserter(out), R"(,"first":"{}","last":"{}","ended":{},"records":)",
                 rfc3339(life.first), rfc3339(life.last), life.end() != nullptr);
  append_json_list(out, life.records);
  out += '}';
}

std::string time_json(nanoseconds time) {
  return time.count() == 0 ? "null" : fmt::format("\"{}\"", rfc3339(time));
}

std::string json_of(const Answer& answer, const Asker& asker) {
  std::string out = fmt::format(R"({{"thing":{{"kind":"{}","text":)", name(answer.thing.kind));
  append_json_string(out, answer.thing.text);
  out += R"(},"stories":[)";
  for (std::size_t i = 0; i < answer.stories.size(); ++i) {
    if (i > 0) out += ',';
    append_story_json(out, answer.stories[i].told.id, answer.stories[i].told.story, kWall);
  }
  out += R"(],"processes":[)";
  for (std::size_t i = 0; i < answer.lives.size(); ++i)
    append_json(i > 0 ? out += ',' : out, answer.lives[i]);
  out += R"(],"started_again":)";
  append_json_list(out, asker.successors());
  fmt::format_to(std::back_inserter(out),
                 R"(,"alive_since":{},"agent_since":{},"store_since":{}}})",
                 time_json(answer.alive ? answer.alive->since : nanoseconds(0)),
                 time_json(answer.agent_began), time_json(answer.store_reach));
  return out + "\n";
}

}  // namespace

Exit explain(const Arguments& arguments, const Agent& agent) {
  Asker asker(arguments, agent);
  const auto answer = asker.answer();
  if (!answer) return complain(answer.error());
  const Exit printed =
      print(arguments.json ? json_of(*answer, asker) : text_of(*answer, asker, arguments.all));
  return answer->empty() ? Exit::wrong : printed;
}

}  // namespace tapio::cli
