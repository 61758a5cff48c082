// SPDX-License-Identifier: Apache-2.0
#include "cli/store.hpp"

#include <signal.h>

#include <algorithm>
#include <set>

#include "cli/from_json.hpp"
#include "cli/load.hpp"
#include "export/store/store_config.hpp"

namespace tapio::cli {

using serve::Json;

namespace {

std::atomic<bool> g_interrupted = false;

constexpr const char* kStories =
    "SELECT body FROM records WHERE type = 'story' AND time_ns >= ? ORDER BY time_ns DESC";

}  // namespace

struct Interruptible::Before {
  struct sigaction action;
};

Interruptible::Interruptible() : before_(std::make_unique<Before>()) {
  g_interrupted = false;
  struct sigaction action{};
  action.sa_handler = [](int) { g_interrupted = true; };
  ::sigaction(SIGINT, &action, &before_->action);
}

Interruptible::~Interruptible() {
  ::sigaction(SIGINT, &before_->action, nullptr);
}

bool Interruptible::interrupted() {
  return g_interrupted;
}

std::string store_path(const Arguments& arguments, const Agent& agent) {
  if (arguments.store) return *arguments.store;
  constexpr const char* kSection = "sinks.store";
  const auto tree = load(agent, std::nullopt).tree;
  return tree.contains(kSection) ? tree.at(kSection).as<store::Config>().path
                                 : store::Config().path;
}

Result<std::vector<Json>> bodies(const store::Reader& reader, std::string_view sql,
                                 std::span<const store::Cell> parameters,
                                 const store::Limits& limits) {
  const auto rows = TRY(reader.query(sql, parameters, limits));
  std::vector<Json> out;
  for (const auto& row : rows.rows)
    if (const auto* text = std::get_if<std::string>(&row.front()))
      if (auto json = serve::parse_json(*text)) out.push_back(std::move(*json));
  return out;
}

Result<std::vector<ReadStory>> stories_in(const store::Reader& reader,
                                          std::chrono::nanoseconds since) {
  const store::Cell parameters[] = {std::int64_t{since.count()}};
  std::vector<ReadStory> out;
  for (Json& json : TRY(bodies(reader, kStories, parameters, {.rows = Stories::kMaxStories})))
    out.push_back({story_from_json(json), std::move(json)});
  std::ranges::reverse(out);
  return out;
}

std::vector<ReadStory> merged(std::vector<ReadStory> all) {
  std::set<RecordId> seen;
  std::erase_if(all, [&](const ReadStory& each) { return !seen.insert(each.told.id).second; });
  std::ranges::stable_sort(all, {}, [](const ReadStory& each) { return each.told.story.time; });
  return all;
}

}  // namespace tapio::cli
