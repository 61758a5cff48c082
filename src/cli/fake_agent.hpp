// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "cli/agent.hpp"
#include "export/store/store_config.hpp"
#include "observer.hpp"

// What the tests of this folder trace: an observer like any other, and an agent that remembers what
// it was asked to do.
namespace tapio::cli {

inline constexpr SchemaOf kStart{"job.start",
                                 Kind::event,
                                 "",
                                 Field{"process.user.id", Type::u64, "", "UID"},
                                 Field{"process.executable.name", Type::text, "", "COMMAND"},
                                 Field{"process.command_args", Type::texts, "", "ARGS"}};
inline constexpr SchemaOf kSignal{"job.signal",
                                  Kind::event,
                                  "",
                                  Field{"signal.number", Type::i64, "", "SIGNAL"},
                                  Field{"signal.target.pid", Type::u64, "", "TARGET"},
                                  Field{"signal.lethal", Type::boolean, ""},
                                  Field{"job.age", Type::duration, ""},
                                  Field{"job.load", Type::f64, ""},
                                  Field{"job.due", Type::time, ""}};
inline constexpr SchemaOf kDelivery{"job.signal.delivery", Kind::event, "",
                                    Field{"signal.number", Type::i64, "", "SIGNAL"}};
inline constexpr SchemaOf kQuery{"dns.query",
                                 Kind::event,
                                 "",
                                 Field{"dns.question.name", Type::text, "", "NAME"},
                                 Field{"dns.response_code", Type::text, "", "RCODE"},
                                 Field{"dns.lookup.duration", Type::duration, "", "LATENCY", "s"},
                                 Field{"server.address", Type::text, "", "SERVER"}};
inline constexpr ViewOf kServers{
    View{.name = "dns",
         .help = "Name servers.",
         .schema = &kQuery,
         .head = "SERVER",
         .keys = {"server.address"},
         .in_overview = true},
    figure::rate_of("QUERIES/s"),
    figure::rate_if("FAILED/s", "dns.response_code", Figure::If::is_other_than, "NOERROR"),
    figure::quantile_of("P50", "dns.lookup.duration", 0.5),
    figure::quantile_of("P99", "dns.lookup.duration", 0.99),
    figure::common_of("NAMES", "dns.question.name")};

struct JobConfig {
  bool enabled = true;
  std::uint32_t rate = 200;
  std::vector<std::string> signals;
  std::string uid;
  bool container_only = false;
  static constexpr auto settings() {
    return std::tuple{Setting{"enabled", &JobConfig::enabled, "Watch jobs."},
                      Setting{"rate", &JobConfig::rate, "Jobs per second.", 1u, 1000u},
                      Setting{"signals", &JobConfig::signals, "Only these."},
                      Setting{"filter.uid", &JobConfig::uid, "Only this user."},
                      Setting{"filter.container_only", &JobConfig::container_only, "Only there."}};
  }
};
struct DnsConfig {
  bool enabled = true;
  static constexpr auto settings() {
    return std::tuple{Setting{"enabled", &DnsConfig::enabled, "Watch names."}};
  }
};

class FakeAgent final : public Agent {
 public:
  [[nodiscard]] std::string version() const override { return "1.2.3"; }
  [[nodiscard]] config::Tree configuration() const override {
    config::Tree tree;
    tree.add("observers.job", config::section<JobConfig>(), "Jobs.");
    tree.add("observers.dns", config::section<DnsConfig>(), "Names.");
    tree.add("sinks.store", config::section<store::Config>(), "Records.");
    tree.at("sinks.store").as<store::Config>().path = "/nowhere/tapio.db";
    return tree;
  }
  [[nodiscard]] std::string socket(const config::Tree&) const override { return "/nowhere/s"; }
  [[nodiscard]] Status check(const config::Tree&) const override { return checked; }
  Status run(const RunOptions& options) override {
    ++runs;
    file = options.file;
    reread = options.reread;
    socket_used = options.socket;
    duration = options.duration;
    format = options.format;
    rate = options.configuration.at("observers.job").as<JobConfig>().rate;
    sinks = options.sinks;
    recording = options.recording;
    return result;
  }
  Status replay(const ReplayOptions& options) override {
    replayed = options;
    return result;
  }
  Status trace(const TraceOptions& options) override {
    ++traces;
    where = options.where;
    schemas = options.schemas;
    job = options.configuration.at("observers.job").as<JobConfig>();
    dns = options.configuration.at("observers.dns").as<DnsConfig>();
    return result;
  }
  DoctorReport doctor(const config::Tree&, const std::string& socket) override {
    socket_used = socket;
    return report;
  }

  Status result, checked;
  DoctorReport report;
  int runs = 0, traces = 0;
  std::string file;
  Reread reread;
  std::string socket_used;
  std::optional<std::chrono::milliseconds> duration;
  Format format = Format::none;
  std::uint32_t rate = 0;
  bool sinks = false;
  std::optional<Recording> recording;
  ReplayOptions replayed;
  std::vector<Where> where;
  std::vector<const Schema*> schemas;
  JobConfig job;
  DnsConfig dns;
};

// A directory of its own for as long as it lives.
class Directory {
 public:
  explicit Directory(std::string pattern) : path_(::mkdtemp((pattern += "/cliXXXXXX").data())) {}
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }
  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace tapio::cli
