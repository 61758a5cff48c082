// SPDX-License-Identifier: Apache-2.0
#include "cli/thing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/settings.hpp"
#include "base/text.hpp"
#include "cli/record_words.hpp"

namespace tapio::cli {

namespace {

using serve::Json;
using std::chrono::nanoseconds;
using store::Cell;

constexpr std::size_t kMaxThing = 4096;
constexpr std::size_t kLeastContainer = 12;  // digits of an id, as runtimes show them
constexpr std::size_t kMostContainer = 64;
constexpr std::size_t kCommBytes = 15;  // that the kernel keeps of a name
constexpr nanoseconds kAfterDeath = std::chrono::seconds(1);
constexpr std::uint64_t kMaxNames = 2000;
constexpr std::uint64_t kMaxSuccessors = 3;

constexpr std::array<std::string_view, 8> kUnitEndings = {
    ".service", ".scope", ".slice", ".socket", ".timer", ".mount", ".device", ".path"};

bool all_of(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

bool is_story(std::string_view word) {
  const auto dot = word.find('.');
  return dot == 8 && all_of(word.substr(0, dot), "0123456789abcdef") &&
         all_of(word.substr(dot + 1), "0123456789");
}

bool is_container(std::string_view word) {
  return word.size() >= kLeastContainer && word.size() <= kMostContainer &&
         all_of(word, "0123456789abcdef");
}

bool is_unit(std::string_view word) {
  return std::ranges::any_of(kUnitEndings, [&](auto ending) { return word.ends_with(ending); });
}

// The condition on a record of the thing, with one parameter.
std::string_view condition(Thing::Kind kind) {
  switch (kind) {
    case Thing::Kind::pid:
      return "pid = ?1";
    case Thing::Kind::executable:
      return "name = 'process.exec' AND "
             "json_extract(body, '$.\"process.executable.path\"') = ?1";
    case Thing::Kind::unit:
      return "unit = ?1 AND pid IS NOT NULL";
    case Thing::Kind::container:  // g stands behind every hexadecimal digit
      return "container_id >= ?1 AND container_id < ?1 || 'g' AND pid IS NOT NULL";
    case Thing::Kind::name:
    case Thing::Kind::story:
      break;
  }
  return "comm = ?1 AND name IN ('process.exec', 'process.exit', 'process.death')";
}

Cell parameter(const Thing& thing) {
  if (thing.kind == Thing::Kind::pid) return std::int64_t{thing.pid};
  if (thing.kind == Thing::Kind::name) return thing.text.substr(0, kCommBytes);
  return thing.text;
}

std::string text(const Cell& cell) {
  const auto* found = std::get_if<std::string>(&cell);
  return found ? *found : "";
}

std::int64_t number(const Cell& cell) {
  const auto* found = std::get_if<std::int64_t>(&cell);
  return found ? *found : 0;
}

const Json* find(std::span<const Json> records, std::initializer_list<std::string_view> names) {
  for (const std::string_view wanted : names)
    for (const Json& record : records)
      if (record["name"].text() == wanted) return &record;
  return nullptr;
}

bool is_same_command(const Json& one, const Json& other) {
  constexpr std::string_view kPath = "process.executable.path", kArgs = "process.command_args";
  return one[kPath].text() == other[kPath].text() &&
         std::ranges::equal(one[kArgs].items(), other[kArgs].items(), {}, &Json::text, &Json::text);
}

}  // namespace

std::string_view name(Thing::Kind kind) {
  switch (kind) {
    case Thing::Kind::pid:
      return "pid";
    case Thing::Kind::name:
      return "name";
    case Thing::Kind::executable:
      return "executable";
    case Thing::Kind::unit:
      return "unit";
    case Thing::Kind::container:
      return "container";
    case Thing::Kind::story:
      return "story";
  }
  return "name";
}

Result<Thing> parse_thing(std::string_view word) {
  using Kind = Thing::Kind;
  if (word.empty() || word.size() > kMaxThing || word.contains('\0'))
    return invalid("explain wants a pid, a name, a path, a unit, a container id or a story id");
  Thing thing{.kind = Kind::name, .text = std::string(word)};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), thing.pid);
  const bool is_number = error == std::errc() && end == word.data() + word.size();
  if (is_number && thing.pid > 0)
    thing.kind = Kind::pid;
  else if (is_story(word))
    thing.kind = Kind::story;
  else if (is_container(word))
    thing.kind = Kind::container;
  else if (word.contains('/'))
    thing.kind = Kind::executable;
  else if (is_unit(word))
    thing.kind = Kind::unit;
  if (thing.kind != Kind::pid) thing.pid = 0;
  return thing;
}

// The thread that ends last has the exit code; a death comes ahead of it.
const Json* Life::end() const {
  return find(records, {"process.exit", "process.death"});
}

const Json* Life::program() const {
  const Json* last = nullptr;
  for (const Json& record : records)
    if (record["name"].text() == "process.exec") last = &record;
  return last;
}

const Json* Life::begin() const {
  return find(records, {"process.fork"});
}

Result<std::vector<Life>> History::lives(const Thing& thing, nanoseconds since) const {
  if (thing.kind == Thing::Kind::story) return {};
  const std::string sql = fmt::format(
      "SELECT coalesce(entity, ''), pid, comm, first, max(time_ns) FROM"
      " (SELECT entity, pid, comm, time_ns, min(time_ns) OVER (PARTITION BY entity, pid) AS first"
      " FROM records WHERE {} AND type = 'event' AND time_ns >= ?2)"
      " GROUP BY entity, pid ORDER BY max(time_ns) DESC",
      condition(thing.kind));
  const Cell parameters[] = {parameter(thing), std::int64_t{since.count()}};
  const auto rows = TRY(reader_.query(sql, parameters, {.rows = kMaxLives}));
  std::vector<Life> lives;
  for (const auto& row : rows.rows)
    lives.push_back({.process_id = text(row[0]),
                     .pid = static_cast<std::uint32_t>(number(row[1])),
                     .name = text(row[2]),
                     .first = nanoseconds(number(row[3])),
                     .last = nanoseconds(number(row[4])),
                     .records = {}});
  return lives;
}

Status History::fill(Life& life) const {
  const Cell own[] = {std::int64_t{life.pid}, life.process_id};
  life.records = TRY(bodies(reader_,
                            "SELECT body FROM records WHERE pid = ? AND coalesce(entity, '') = ?"
                            " AND type = 'event' AND name NOT IN ('process.signal')"
                            " ORDER BY time_ns, rowid",
                            own, {.rows = kMaxRecords}));
  const auto by_time = [](const Json& record) { return time_of(record); };
  for (const Json& record : life.records) life.last = std::max(life.last, by_time(record));
  if (!life.records.empty()) life.first = std::min(life.first, by_time(life.records.front()));
  const Cell times[] = {std::int64_t{life.first.count()},
                        std::int64_t{(life.last + kAfterDeath).count()}, std::int64_t{life.pid}};
  for (Json& signal : TRY(bodies(
           reader_,
           "SELECT body FROM records WHERE name = 'process.signal' AND time_ns BETWEEN ?1 AND ?2"
           " AND (pid = ?3 OR json_extract(body, '$.\"signal.target.pid\"') = ?3)"
           " ORDER BY time_ns, rowid",
           times, {.rows = kMaxRecords})))
    life.records.push_back(std::move(signal));
  std::ranges::stable_sort(life.records, {}, by_time);
  life.cut = life.records.size() >= kMaxRecords;
  return {};
}

Result<std::vector<Json>> History::successors(const Life& life) const {
  const Json* end = life.end();
  if (!end) return {};
  const auto time = time_of(*end);
  const Cell parameters[] = {std::int64_t{time.count()},
                             std::int64_t{(time + std::chrono::minutes(1)).count()}, life.name,
                             std::int64_t{life.pid}};
  auto found = TRY(bodies(reader_,
                          "SELECT body FROM records WHERE name = 'process.exec' AND time_ns > ?"
                          " AND time_ns <= ? AND comm = ? AND pid <> ? ORDER BY time_ns",
                          parameters, {.rows = kMaxRecords}));
  if (const Json* program = life.program())
    std::erase_if(found, [&](const Json& record) { return !is_same_command(record, *program); });
  if (found.size() > kMaxSuccessors) found.resize(kMaxSuccessors);
  return found;
}

std::optional<Json> History::record(const std::string& id) const {
  const Cell parameters[] = {id};
  auto found = bodies(reader_, "SELECT body FROM records WHERE id = ?", parameters);
  if (!found || found->empty()) return std::nullopt;
  return std::move(found->front());
}

nanoseconds History::reach() const {
  const auto rows = reader_.query("SELECT time_ns FROM records ORDER BY rowid", {}, {.rows = 1});
  return nanoseconds(rows && !rows->rows.empty() ? number(rows->rows[0][0]) : 0);
}

std::string History::suggestion(const Thing& thing) const {
  if (thing.kind != Thing::Kind::name && thing.kind != Thing::Kind::unit) return {};
  const bool is_name = thing.kind == Thing::Kind::name;
  const auto rows =
      reader_.query(is_name ? "SELECT DISTINCT comm FROM records WHERE name = 'process.exec'"
                            : "SELECT DISTINCT unit FROM records WHERE unit IS NOT NULL",
                    {}, {.rows = kMaxNames});
  if (!rows) return {};
  std::vector<std::string> known;
  for (const auto& row : rows->rows) known.push_back(text(row[0]));
  return std::string(nearest(thing.text, known));
}

}  // namespace tapio::cli
