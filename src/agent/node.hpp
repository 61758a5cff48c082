// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/configuration.hpp"
#include "agent/costs.hpp"
#include "agent/governor.hpp"
#include "agent/health.hpp"
#include "agent/inlet.hpp"
#include "agent/losses.hpp"
#include "agent/pipeline.hpp"
#include "agent/reload.hpp"
#include "agent/select.hpp"
#include "base/config.hpp"
#include "capture/canary.hpp"
#include "capture/programs.hpp"
#include "cli/agent.hpp"
#include "decode/intake.hpp"
#include "enrich/cgroupfs.hpp"
#include "enrich/proc.hpp"
#include "export/outlet.hpp"
#include "replay/recorder.hpp"
#include "serve/http_server.hpp"
#include "serve/local_socket.hpp"

namespace tapio::agent {

struct NodeOptions {
  const config::Tree& configuration;
  std::string socket;  // "": nobody can ask this node, over HTTP neither
  std::vector<std::pair<std::string, std::unique_ptr<Sink>>> sinks;  // beside those configured
  bool configured_sinks = true;
  std::vector<std::string> canary_song;  // a program that kills itself; empty: no canary
  std::string file{};                    // that the configuration is from; "": there is none
  cli::Reread reread{};                  // without it a reload is refused
  std::unique_ptr<replay::Recorder> recorder = nullptr;  // gets all that comes in
  Governor::Pace pace{};                                 // at which it holds its budget
};

// What runs on one node: kernel side, pipeline, sinks, socket. The thread that calls run() is the
// pipeline's. Destruction detaches everything.
class Node final : public serve::HttpApi {
 public:
  static Result<std::unique_ptr<Node>> start(NodeOptions options);
  ~Node() override;

  // Until `done` says so, which is asked about fifty times a second.
  void run(const std::function<bool()>& done);
  // Takes over what may be changed while it runs. From any thread; no event is lost for it.
  Reload reload();
  // Detaches, takes what is left in the rings, settles the books, empties the sinks.
  void finish();
  // What was given to it; nullptr: nothing is recorded.
  [[nodiscard]] replay::Recorder* recorder() const { return recorder_.get(); }

  // What is on, what is off, and why; a line each, for people.
  [[nodiscard]] std::vector<std::string> report();
  // An observer that was wanted did not start: the first such fault.
  [[nodiscard]] std::optional<Error> first_fault() const { return first_fault_; }
  [[nodiscard]] bool any_observer_on() const;
  // What programs are fitted to; where it is from nowhere, there are none.
  [[nodiscard]] const capture::Btf& btf() const { return kernel_.btf; }

  struct ObserverState {
    std::string_view name;
    std::string state;  // on | provider | off | unsupported | denied | failed
    std::string reason;
  };
  [[nodiscard]] std::vector<ObserverState> observer_states() const;

  struct HookState {
    std::string_view observer;
    std::string hook;
    std::string program;  // "": off
    std::string canary;   // seen | not seen | passive, last seen ... | unsupported: why | off: why
  };
  [[nodiscard]] std::vector<HookState> hooks();

  // serve::HttpApi; from any thread.
  std::string status_json() override;
  std::string stories_json(std::optional<std::chrono::nanoseconds> since) override;
  std::string reload_json() override;
  std::vector<serve::StoryText> told_stories() override;
  serve::Health health() override;
  std::vector<const Schema*> schemas() override;
  std::string processes_json() override;
  std::string_view kernels_json() override;

 private:
  static constexpr std::chrono::seconds kStuck{10};    // without a pass of the pipeline
  static constexpr std::chrono::minutes kRemember{1};  // a loss, when observers' health is judged
  enum class Readiness : std::uint8_t { starting, seeding, blind, ready };
  struct Source {  // one observer that was selected
    Selected selected;
    std::string state;  // on | provider | off | unsupported | denied | failed
    std::string reason;
    std::vector<capture::Choice> choices;         // per hook, of one that runs
    std::unique_ptr<capture::Programs> programs;  // nullptr: it runs without
    std::vector<capture::Balance> books;          // per hook, as of the last check
    std::vector<std::uint64_t> missed;            // likewise
    std::optional<MonotonicTime> lost_at{};       // the latest loss that was not on purpose
  };

  explicit Node(NodeOptions& options);
  Status open_channels();
  Status start_sources(const config::Tree& configuration);
  void start_source(Source& source, const config::Section& settings);
  Status start_sinks(NodeOptions& options);
  Status start_http(const config::Tree& configuration);
  void sing();
  void deliver(const std::shared_ptr<const Batch>& batch);
  void work(std::chrono::milliseconds wait);
  void read_clocks(MonotonicTime now);
  void seed(MonotonicTime now);
  void begin_seed(MonotonicTime now);
  void end_seed(MonotonicTime now);
  // What was there before is known: processes and cgroups, as far as they may be seen.
  [[nodiscard]] bool is_seeded();
  // Why not, as far as it is looked at again; a sentence each.
  [[nodiscard]] std::vector<std::string_view> missing() const;
  void seed_cgroups(MonotonicTime now);
  void begin_cgroup_walk(MonotonicTime now);
  Status find_cgroups();
  // Whether programs tell of it as it happens.
  [[nodiscard]] bool hears_of(FactSet facts) const;
  [[nodiscard]] bool has_to_walk_again(MonotonicTime now) const;
  void resolve_cgroups(MonotonicTime now);
  void check(MonotonicTime now);  // once a second
  void check_books(Source& source);
  void check_counts();
  void check_feed(const Outlet& feed);
  void check_health();
  void check_sight();
  void check_readiness();
  [[nodiscard]] ObserverHealth health_of(const Source& source, MonotonicTime now);
  [[nodiscard]] std::string reason_of(const Source& source) const;
  void report_losses(MonotonicTime now);
  void measure_costs(MonotonicTime now);  // once a second
  [[nodiscard]] Costs::Readings read_costs(MonotonicTime now) const;
  static void read_programs(const Source& source, std::vector<Costs::ProgramReading>& readings);
  // Why what programs cost is not known; "": it is.
  [[nodiscard]] std::string cost_fault() const;
  void hold_budget(MonotonicTime now);  // once a second
  [[nodiscard]] Governor::Usage read_usage(MonotonicTime now);
  void restrain(Source& source, Step step, MonotonicTime now);
  void record(const Governor::Change& change, const Governor::Usage& usage);
  [[nodiscard]] std::expected<cli::Configured, std::vector<std::string>> read_again() const;
  Reload take_over(const config::Tree& next);
  Status apply(std::string_view section);
  void record(const Reload& reload);
  [[nodiscard]] Outside& outside() const;
  [[nodiscard]] std::uint64_t ring_bytes() const;
  [[nodiscard]] std::uint64_t map_bytes() const;

  MonotonicTime began_ = monotonic_now();
  AgentConfig config_;
  cli::Reread reread_;
  std::mutex reloading_;  // one at a time; taken before `state_`
  BtfConfig btf_config_;
  std::optional<capture::Canary> canary_;
  std::optional<std::string> canary_fault_;
  capture::Kernel kernel_;
  capture::Hierarchy hierarchy_;
  std::chrono::nanoseconds lateness_{};  // how far the watermark stays behind
  std::unique_ptr<capture::Channel> critical_;
  std::vector<std::unique_ptr<Outlet>> feeds_;
  std::mutex state_;              // of all below, between the pipeline and those who ask
  config::Tree configuration_;    // in force
  std::string file_;              // that it is from
  std::optional<Reload> reload_;  // the latest
  Losses losses_;
  std::unique_ptr<replay::Recorder> recorder_;  // observers ask it
  Pipeline pipeline_;
  Inlet inlet_;
  std::vector<Source> sources_;
  Intake intake_;  // reads channels of `sources_`, so it stops first
  std::optional<proc::Seeder> seeder_;
  MonotonicTime seed_again_{};  // at the start: at once
  bool proc_missing_ = false;
  bool resyncing_ = false;
  std::optional<cgroupfs::Walker> cgroup_walk_;
  MonotonicTime walk_again_{};
  bool cgroups_missing_ = false;
  MonotonicTime cgroup_walk_began_{};
  std::optional<cgroupfs::Resolver> cgroup_resolver_;
  std::optional<Error> first_fault_;
  std::chrono::nanoseconds attached_after_{};
  MonotonicTime next_check_{};
  std::int64_t residue_ = 0;
  Costs costs_{began_};
  Fd counting_;  // while the kernel counts for us
  std::string cost_fault_;
  Governor governor_;
  Governor::Usage usage_;  // as of the last second
  std::chrono::nanoseconds cpu_before_{};
  Costs::Readings readings_before_;
  std::uint64_t bulk_before_ = 0, normal_before_ = 0;  // events that were wanted
  std::uint64_t malformed_told_ = 0;
  log::Sparingly malformed_log_, restrain_log_;
  bool finished_ = false;
  std::vector<std::byte> block_;
  std::atomic<MonotonicTime> last_pass_{};  // zero: none yet
  std::atomic<Readiness> readiness_{Readiness::starting};
  std::unique_ptr<serve::LocalSocket> socket_;  // these two last: they ask this
  std::unique_ptr<serve::HttpServer> http_;
};

}  // namespace tapio::agent
