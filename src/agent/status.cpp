// SPDX-License-Identifier: Apache-2.0
// What `tapio status --json` prints; its keys are a contract.
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "agent/configuration.hpp"
#include "agent/node.hpp"
#include "agent/own_usage.hpp"
#include "version.hpp"

namespace tapio::agent {

namespace {

using Json = rapidjson::Writer<rapidjson::StringBuffer>;

constexpr std::size_t kMaxThreads = 256;  // more are not listed

void text(Json& json, std::string_view key, std::string_view value) {
  json.Key(key.data(), static_cast<unsigned>(key.size()));
  json.String(value.data(), static_cast<unsigned>(value.size()));
}

void number(Json& json, std::string_view key, std::uint64_t value) {
  json.Key(key.data(), static_cast<unsigned>(key.size()));
  json.Uint64(value);
}

void number(Json& json, std::string_view key, std::int64_t value) {
  json.Key(key.data(), static_cast<unsigned>(key.size()));
  json.Int64(value);
}

std::uint64_t microseconds(std::chrono::nanoseconds d) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(d).count());
}

std::uint64_t milliseconds(std::chrono::nanoseconds d) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
}

void outcomes(Json& json, const tapio_ledger_class& row) {
  number(json, "wanted", std::uint64_t{row.wanted});
  for (int outcome = 0; outcome < TAPIO_OUTCOMES; ++outcome)
    number(json, name(static_cast<tapio_outcome>(outcome)), std::uint64_t{row.outcome[outcome]});
}

// What the programs of a hook say they did with the events of one class.
void class_row(Json& json, std::string_view observer, std::string_view hook, tapio_class c,
               const tapio_ledger_class& row) {
  json.StartObject();
  text(json, "observer", observer);
  text(json, "hook", hook);
  text(json, "class", name(c));
  outcomes(json, row);
  json.EndObject();
}

void hook_row(Json& json, std::string_view observer, std::string_view hook,
              const capture::Balance& b, std::uint64_t missed) {
  json.StartObject();
  text(json, "observer", observer);
  text(json, "hook", hook);
  number(json, "entered", std::uint64_t{b.row.entered});
  number(json, "filtered", std::uint64_t{b.row.filtered});
  tapio_ledger_class sum{};
  for (const auto& c : b.row.classes) {
    sum.wanted += c.wanted;
    for (int outcome = 0; outcome < TAPIO_OUTCOMES; ++outcome)
      sum.outcome[outcome] += c.outcome[outcome];
  }
  outcomes(json, sum);
  number(json, "missed", missed);
  number(json, "read_faults", std::uint64_t{b.row.read_faults});
  number(json, "read", b.read);
  number(json, "missing", b.missing);
  number(json, "in_flight", b.in_flight);
  number(json, "in_ring", b.in_ring);
  number(json, "residue", b.residue);
  json.EndObject();
}

void array(Json& json, std::string_view key) {
  json.Key(key.data(), static_cast<unsigned>(key.size()));
  json.StartArray();
}

void object(Json& json, std::string_view key) {
  json.Key(key.data(), static_cast<unsigned>(key.size()));
  json.StartObject();
}

void losses(Json& json, const Losses& all) {
  array(json, "loss");
  for (const auto& [key, from, to, count] : all.all()) {
    json.StartObject();
    text(json, "observer", key.observer);
    text(json, "class", key.event_class);
    text(json, "stage", key.stage);
    text(json, "reason", key.reason);
    number(json, "count", count);
    json.EndObject();
  }
  json.EndArray();
}

void hooks(Json& json, const std::vector<Node::HookState>& list) {
  array(json, "hooks");
  for (const auto& hook : list) {
    json.StartObject();
    text(json, "name", hook.hook);
    text(json, "observer", hook.observer);
    text(json, "program", hook.program);
    text(json, "canary", hook.canary);
    json.EndObject();
  }
  json.EndArray();
}

void real(Json& json, std::string_view key, double value) {
  json.Key(key.data(), static_cast<unsigned>(key.size()));
  json.Double(std::isfinite(value) ? value : 0);
}

void cost(Json& json, std::string_view side, const Costs::Cost& cost) {
  number(json, std::string(side) + "_us", microseconds(cost.spent));
  real(json, std::string(side) + "_share", cost.share);
}

void programs(Json& json, const Costs& costs) {
  array(json, "programs");
  for (const auto& [key, program] : costs.programs()) {
    json.StartObject();
    text(json, "observer", key.first);
    text(json, "program", key.second);
    cost(json, "kernel", program.cost);
    real(json, "ns_per_run", program.ns_per_run);
    real(json, "runs_per_second", program.runs_per_second);
    json.EndObject();
  }
  json.EndArray();
}

// Of this process, by name. Those that have ended are in nobody's figure but that of the process.
void threads(Json& json) {
  std::map<std::string, std::uint64_t> spent;
  std::error_code error;
  std::filesystem::directory_iterator tasks("/proc/self/task", error);
  for (std::size_t i = 0; i < kMaxThreads && tasks != end(tasks); ++i, tasks.increment(error)) {
    std::string name;
    std::uint64_t nanoseconds = 0;
    std::getline(std::ifstream(tasks->path() / "comm") >> std::ws, name);
    if (std::ifstream(tasks->path() / "schedstat") >> nanoseconds) spent[name] += nanoseconds;
  }
  array(json, "threads");
  for (const auto& [name, nanoseconds] : spent) {
    json.StartObject();
    text(json, "name", name);
    number(json, "user_us", nanoseconds / 1000);
    json.EndObject();
  }
  json.EndArray();
}

void counts(Json& json, const Intake::Counts& read, const Pipeline::Counts& worked) {
  number(json, "read", read.read);
  number(json, "canary", read.canary);
  number(json, "queued", read.queued);
  number(json, "handled", worked.handled);
  number(json, "malformed", worked.malformed);
  number(json, "late", worked.late);
  number(json, "long_calls", worked.long_calls);
  object(json, "records");
  for (int c = 0; c < TAPIO_CLASSES; ++c) {
    const auto key = name(static_cast<tapio_class>(c));
    json.Key(key.data(), static_cast<unsigned>(key.size()));
    json.StartObject();
    number(json, "emitted", worked.emitted[c]);
    number(json, "rate_limited", worked.rate_limited[c]);
    number(json, "filtered", worked.filtered[c]);
    json.EndObject();
  }
  json.EndObject();
}

}  // namespace

std::string Node::status_json() {
  const std::lock_guard lock(state_);
  rapidjson::StringBuffer buffer;
  Json json(buffer);
  json.StartObject();
  text(json, "version", kVersion);
  number(json, "pid", std::uint64_t(::getpid()));
  number(json, "uptime_seconds", milliseconds(monotonic_now() - began_) / 1000);
  object(json, "start");
  number(json, "attached_ms", milliseconds(attached_after_));
  json.Key("seeded");
  json.Bool(is_seeded());
  array(json, "missing");
  for (const auto sentence : missing())
    json.String(sentence.data(), static_cast<unsigned>(sentence.size()));
  json.EndArray();
  json.EndObject();

  object(json, "configuration");
  text(json, "file", file_);
  if (reload_) {
    std::string latest;
    append_json(latest, *reload_, pipeline_.clocks());
    json.Key("reload");
    json.RawValue(latest.data(), latest.size(), rapidjson::kObjectType);
  }
  json.EndObject();

  object(json, "btf");
  text(json, "from", name(kernel_.btf.from));
  text(json, "path", kernel_.btf.path);
  text(json, "trouble", kernel_.btf.trouble);
  json.EndObject();

  array(json, "observers");
  for (const Source& source : sources_) {
    json.StartObject();
    text(json, "name", source.selected.descriptor->name);
    text(json, "state", source.state);
    text(json, "reason", reason_of(source));
    object(json, "counters");
    for (const auto& [name, value] : pipeline_.counters(source.selected.descriptor->id))
      number(json, name, value);
    json.EndObject();
    const auto health = health_of(source, monotonic_now());
    text(json, "health", health.health);
    array(json, "why");
    for (const std::string& why : health.why)
      json.String(why.data(), static_cast<unsigned>(why.size()));
    json.EndArray();
    json.EndObject();
  }
  json.EndArray();
  agent::hooks(json, hooks());

  object(json, "ledger");
  number(json, "residue", residue_);
  number(json, "malformed_headers", intake_.malformed());
  array(json, "rows");
  for (const Source& source : sources_)
    for (std::size_t i = 0; i < source.books.size(); ++i)
      hook_row(json, source.selected.descriptor->name, source.selected.descriptor->hooks[i].name,
               source.books[i], source.missed[i]);
  json.EndArray();
  array(json, "classes");
  for (const Source& source : sources_)
    for (std::size_t i = 0; i < source.books.size(); ++i)
      for (const auto c : {TAPIO_STATE, TAPIO_CRITICAL, TAPIO_NORMAL, TAPIO_BULK})
        if (source.books[i].row.classes[c].wanted)
          class_row(json, source.selected.descriptor->name,
                    source.selected.descriptor->hooks[i].name, c, source.books[i].row.classes[c]);
  json.EndArray();
  array(json, "observers");
  for (const Source& source : sources_) {
    if (!source.programs) continue;
    const auto id = source.selected.descriptor->id;
    const auto worked = pipeline_.counts().find(id);
    json.StartObject();
    text(json, "name", source.selected.descriptor->name);
    counts(json, intake_.counts(id),
           worked == pipeline_.counts().end() ? Pipeline::Counts{} : worked->second);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();

  losses(json, losses_);
  object(json, "memory");
  number(json, "rss_bytes", resident_bytes());
  number(json, "ring_bytes", ring_bytes());
  number(json, "map_bytes", map_bytes());
  json.EndObject();

  object(json, "cost");
  number(json, "cpu_ms", milliseconds(cpu_time()));
  text(json, "fault", cost_fault());
  array(json, "observers");
  for (const Source& source : sources_) {
    if (source.state != "on" && source.state != "provider") continue;
    const auto name = source.selected.descriptor->name;
    json.StartObject();
    text(json, "name", name);
    cost(json, "kernel", costs_.kernel_side(name));
    cost(json, "user", costs_.user_side(name));
    number(json, "map_bytes", source.programs ? source.programs->map_bytes() : 0);
    number(json, "ring_bytes", std::uint64_t{source.programs ? source.programs->ring_bytes() : 0});
    json.EndObject();
  }
  json.EndArray();
  programs(json, costs_);
  threads(json);
  json.EndObject();

  const auto& budget = governor_.budget();
  object(json, "budget");
  text(json, "step", step_name(governor_.step()));
  text(json, "spares", spared_by(governor_.step()));
  real(json, "cpu", budget.cpu / 100.0);
  real(json, "cpu_used", usage_.cpu);
  number(json, "memory_bytes", std::uint64_t{budget.memory.bytes});
  number(json, "memory_used_bytes", resident_bytes() + ring_bytes() + map_bytes());
  json.EndObject();

  array(json, "sinks");
  for (const auto& feed : feeds_) {
    const auto c = feed->counts();
    json.StartObject();
    text(json, "name", feed->name());
    number(json, "offered", c.offered);
    number(json, "sent", c.sent);
    number(json, "dropped", c.dropped());
    number(json, "pending", c.pending);
    number(json, "kept", c.kept);
    json.EndObject();
  }
  json.EndArray();

  const auto processes = pipeline_.known().stats();
  object(json, "processes");
  number(json, "live", std::uint64_t{processes.live});
  number(json, "exited", std::uint64_t{processes.exited});
  number(json, "evicted", processes.evicted_live + processes.evicted_exited);
  number(json, "text_bytes", std::uint64_t{processes.text_bytes});
  json.EndObject();
  const auto cgroups = pipeline_.known().cgroup_stats();
  object(json, "cgroups");
  number(json, "live", cgroups.live);
  number(json, "removed", cgroups.removed);
  number(json, "evicted", cgroups.evicted);
  number(json, "text_bytes", cgroups.text_bytes);
  json.EndObject();
  const auto containers = pipeline_.known().container_stats();
  const Pipeline::Holding& holding = pipeline_.holding();
  object(json, "containers");
  number(json, "described", std::uint64_t{containers.described});
  number(json, "awaited", std::uint64_t{containers.awaited});
  number(json, "evicted", containers.evicted);
  number(json, "batches_held", holding.held);
  number(json, "batches_unnamed", holding.unnamed);
  json.EndObject();
  const auto names = pipeline_.known().name_stats();
  object(json, "names");
  number(json, "kept", std::uint64_t{names.kept});
  number(json, "set", names.set);
  number(json, "expired", names.expired);
  number(json, "evicted", names.evicted);
  json.EndObject();
  object(json, "stories");
  number(json, "told", pipeline_.stories().stats().told);
  number(json, "suppressed", pipeline_.stories().stats().suppressed);
  json.EndObject();
  const auto reserve = pipeline_.reserve();
  object(json, "reserve");
  number(json, "kept", std::uint64_t{reserve.kept});
  number(json, "bytes", std::uint64_t{reserve.bytes});
  number(json, "released", reserve.released);
  number(json, "forgotten", reserve.forgotten);
  json.EndObject();
  if (http_) {
    const auto http = http_->counts();
    object(json, "http");
    text(json, "address", http_->address());
    number(json, "requests", http.requests);
    number(json, "refused", http.refused);
    number(json, "clients", http.clients);
    number(json, "streams", http.streams);
    number(json, "lines", http.lines);
    number(json, "dropped", http.dropped);
    number(json, "missed", http.missed);
    json.EndObject();
  }
  object(json, "redaction");
  number(json, "replaced", pipeline_.redactor().replaced());
  json.EndObject();
  json.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string Node::stories_json(std::optional<std::chrono::nanoseconds> since) {
  const std::lock_guard lock(state_);
  const auto& clocks = pipeline_.clocks();
  const auto from = since ? monotonic_now() - *since : MonotonicTime::min();
  std::string out = "[";
  for (const ToldStory* told : pipeline_.stories().since(from)) {
    if (out.size() > 1) out += ',';
    append_story_json(out, told->id, told->story, clocks);
  }
  return out += ']';
}

std::vector<serve::StoryText> Node::told_stories() {
  const std::lock_guard lock(state_);
  std::vector<serve::StoryText> list;
  for (const ToldStory* told : pipeline_.stories().since(MonotonicTime::min())) {
    auto& story = list.emplace_back(serve::StoryText{.id = told->id, .time = told->story.time});
    append_story_json(story.json, told->id, told->story, pipeline_.clocks());
  }
  return list;
}

}  // namespace tapio::agent
