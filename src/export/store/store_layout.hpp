// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "record/record.hpp"

// What is in the database. One table of records, with the columns that queries search by; a view
// for each schema, with a column for each field. A new version of Tapio makes new views, and
// migrates nothing.
namespace tapio::store {

// PRAGMA application_id and user_version: whose file it is, and which layout.
inline constexpr std::int64_t kApplicationId = 0x5461'7069;  // "Tapi"
inline constexpr std::int64_t kVersion = 1;

// `time` is computed when it is read. `pid` and those behind it are null when not known.
inline constexpr const char* kTables = R"(
CREATE TABLE IF NOT EXISTS records(
  id TEXT NOT NULL UNIQUE,
  time_ns INTEGER NOT NULL,
  type TEXT NOT NULL,
  name TEXT NOT NULL,
  entity TEXT,
  pid INTEGER,
  comm TEXT,
  container_id TEXT,
  unit TEXT,
  body TEXT NOT NULL,
  time TEXT GENERATED ALWAYS AS (
    strftime('%Y-%m-%dT%H:%M:%S', time_ns / 1000000000, 'unixepoch') ||
    printf('.%09dZ', time_ns % 1000000000)) VIRTUAL);
CREATE INDEX IF NOT EXISTS records_by_time ON records(time_ns);
CREATE INDEX IF NOT EXISTS records_by_name ON records(name, time_ns);
CREATE INDEX IF NOT EXISTS records_by_pid ON records(pid, time_ns) WHERE pid IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_by_container ON records(container_id, time_ns)
  WHERE container_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_by_unit ON records(unit, time_ns) WHERE unit IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_kept_longer ON records(type, time_ns)
  WHERE type IN ('finding', 'story');
CREATE TABLE IF NOT EXISTS runs(
  run TEXT NOT NULL UNIQUE,
  first_time TEXT NOT NULL,
  last_time TEXT NOT NULL,
  last_id TEXT NOT NULL,
  records INTEGER NOT NULL,
  ended TEXT);
CREATE TABLE IF NOT EXISTS schemas(name TEXT PRIMARY KEY, type TEXT NOT NULL, help TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fields(
  name TEXT NOT NULL, position INTEGER NOT NULL, field TEXT NOT NULL, type TEXT NOT NULL,
  unit TEXT NOT NULL, help TEXT NOT NULL, PRIMARY KEY(name, position)) WITHOUT ROWID;
)";

// CREATE VIEW "process.exec" AS SELECT ...
[[nodiscard]] std::string view_of(const Schema& schema);

// As an identifier of SQL, in double quotes.
[[nodiscard]] std::string quoted(std::string_view name);

// The text that a member of the object has, "" when there is none. `body` is what append_json()
// wrote: quotes within text are escaped there, so `"key":"` can only be a member.
[[nodiscard]] std::string member_text(std::string_view body, std::string_view key);

}  // namespace tapio::store
