// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/outside.hpp"
#include "base/settings.hpp"
#include "capture/programs.hpp"
#include "decode/wire.hpp"
#include "facts/facts.hpp"
#include "facts/world.hpp"
#include "record/record.hpp"
#include "record/redact.hpp"
#include "record/view.hpp"

// The interface of a slice. A folder under observers/ implements `Observer` and exports one symbol,
// tapio::<folder>::descriptor.
namespace tapio {

enum class Withheld : std::uint8_t {
  rate_limited,  // a loss: consumers get a gap record
  filtered,      // nobody asked for it
};

// Where an observer's results go. Valid during the call that it is passed to. Secrets are taken out
// of facts and records on this way; nothing that an observer does can avoid it.
class Output {
 public:
  virtual ~Output() = default;

  // For the text of records and facts. It begins anew with the next sample: what is to be
  // remembered is copied.
  virtual Arena& arena() = 0;
  // To the World at once, to others when the observer has returned: views must be the arena's.
  virtual void publish(const Fact& fact) = 0;
  virtual RecordId emit(const Record& record) = 0;
  // Instead of emit(), for a record that is counted and not handed out, unless a story turns out to
  // rest on it.
  virtual RecordId withhold(const Record& record, Withheld why) = 0;
  // The same of a record that is not made yet: Observer::make_record() makes it, of this sample,
  // when a story rests on it. In a storm nearly all is withheld, and making it is most of the work.
  virtual RecordId withhold(const wire::Sample& sample, const Origin& origin, Withheld why) = 0;
  // What the next emit() or withhold() will return: the evidence that a fact names.
  [[nodiscard]] virtual RecordId next_id() const = 0;
  [[nodiscard]] virtual const World& world() const = 0;
  // As of the last second.
  [[nodiscard]] virtual const Clocks& clocks() const = 0;
};

// Critical events of one cgroup beyond its share, counted in the kernel.
struct Surplus {
  std::uint64_t cgroup_id;
  std::uint64_t detail;  // as the program gave it to TAPIO_BEGIN
  std::uint64_t count;   // since the last report
};

// Something that an observer counts since it began and that the ledger does not know, for `tapio
// status`.
struct Counter {
  std::string_view name;  // static; "evicted"
  std::uint64_t value = 0;
};

// How it is with what an observer watches, a sentence for `tapio status` and `tapio doctor`.
struct Remark {
  std::string text;
  bool degraded = false;  // it sees less than it was asked to
};

// Turns samples into facts and records. One thread calls it; none of it may block. It has to do the
// same again when a recording is replayed: what it wants to know beside what it is given, it asks
// `Start::outside`.
class Observer {
 public:
  virtual ~Observer() = default;
  // A fault means a malformed sample: it is counted and dropped.
  virtual Status on_sample(const wire::Sample& sample, Output& out) = 0;
  // The record of a sample that it withheld unmade: the one that it would have made then. Of the
  // sample alone, whatever has become known since; `clocks` are those of now.
  virtual std::optional<Record> make_record(const wire::Sample&, const Clocks&, Arena&) const {
    return {};
  }
  // A fact that its descriptor needs, after the World has applied it; its own are among them. May
  // publish others.
  virtual void on_fact(const Fact&, Output&) {}
  virtual void on_surplus(const Surplus&, MonotonicTime, Output&) {}
  virtual void on_tick(MonotonicTime, Output&) {}  // once a second
  // In each pass of the pipeline, some 50 a second, when what is older than the watermark has been
  // worked on: for who waits for an answer.
  virtual void on_advance(MonotonicTime, Output&) {}
  // A reload: its settings that may change while it runs have new values, see Setting::on_reload.
  virtual void on_settings(const config::Section&) {}
  [[nodiscard]] virtual std::vector<Counter> counters() const { return {}; }
  [[nodiscard]] virtual std::optional<Remark> remark() const { return {}; }
};

// What `start` gets: the observer's own settings, and its part of the kernel side.
struct Start {
  const config::Section& settings;
  capture::Programs& programs;
  Outside& outside = live_outside();  // outlives the observer
};

// A sample of one observer as it may be kept in a recording: with *** in the place of secrets, and
// sizes that fit. False: it is malformed, and its header alone is kept.
using Conceal = bool (*)(const wire::Sample& sample, Redactor& redactor,
                         std::vector<std::byte>& clean);

struct Descriptor {
  std::string_view name;
  std::uint8_t id;  // high byte of every event kind it sends; never reused
  std::string_view summary;
  std::span<const capture::Hook> hooks;  // empty: no kernel side, `start` loads nothing
  std::span<const Schema* const> schemas;
  FactSet provides = 0;
  FactSet needs = 0;
  std::unique_ptr<config::Section> (*settings)();  // with their defaults
  Result<std::unique_ptr<Observer>> (*start)(const Start&);
  // What is wished of its programs, for a reload; nullptr: nothing that depends on settings.
  capture::Wishes (*wishes)(const config::Section&) = nullptr;
  Conceal conceal = nullptr;  // none: its samples hold nothing that records do not show as it is
  std::span<const View* const> views{};  // what `tapio top` shows of its records
};

// All of them, by name; generated by the build.
std::span<const Descriptor* const> observers();

}  // namespace tapio
