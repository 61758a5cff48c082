// SPDX-License-Identifier: Apache-2.0
#include "agent/node.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <cstdlib>
#include <numeric>
#include <thread>

#include "agent/blind_spots.hpp"
#include "agent/configuration.hpp"
#include "agent/cpus.hpp"
#include "base/log.hpp"

namespace tapio::agent {

namespace {

using namespace std::chrono_literals;

constexpr auto kLongestWait = 2 * Intake::kBeat;  // for samples; the drain thread hands on before
constexpr auto kSeedPause = 20ms;      // at most, between two steps of who was there before
constexpr auto kRingLateness = 20ms;   // from reserve to submit, with room
constexpr auto kPerfLateness = 100ms;  // perf buffers are per CPU and are read one after another
constexpr auto kCheckEvery = 1s;
constexpr auto kCanaryFlight = 500ms;  // at most, from its song to its last record
constexpr auto kSinkPatience = 2s;     // at the end, for queues to run empty

std::string_view state_of(Fault fault) {
  switch (fault) {
    case Fault::unsupported:
      return "unsupported";
    case Fault::denied:
      return "denied";
    case Fault::invalid:
    case Fault::exhausted:
    case Fault::unavailable:
    case Fault::broken:
      return "failed";
  }
  return "failed";
}

std::uint32_t run_number() {
  const auto wall = monotonic_now() + Clocks::read().wall_ahead;
  return static_cast<std::uint32_t>(std::chrono::floor<std::chrono::seconds>(wall).count());
}

}  // namespace

Node::Node(NodeOptions& options)
    : config_(options.configuration.at("agent").as<AgentConfig>()),
      reread_(std::move(options.reread)),
      btf_config_(options.configuration.at("btf").as<BtfConfig>()),
      configuration_(options.configuration.clone()),
      file_(options.file),
      losses_(began_),
      recorder_(std::move(options.recorder)),
      pipeline_({.run = run_number(),
                 .redact = options.configuration.at("redact").as<RedactConfig>(),
                 .rules = stories()},
                [this](const std::shared_ptr<const Batch>& batch) { deliver(batch); }),
      inlet_(pipeline_, recorder_.get()),
      governor_(options.configuration.at("budget").as<BudgetConfig>(), options.pace) {
  if (recorder_) recorder_->begin(header_of(options.configuration, pipeline_.next_id().run));
}

Outside& Node::outside() const {
  return recorder_ ? *recorder_ : live_outside();
}

Result<std::unique_ptr<Node>> Node::start(NodeOptions options) {
  capture::log_at_debug_level();
  std::unique_ptr<Node> node(new Node(options));
  const std::lock_guard lock(node->state_);            // whoever asks waits for the start to end
  if (auto kept = keep_to(node->config_.cpus); !kept)  // threads that come later inherit it
    return std::unexpected(std::move(kept.error()).within("agent.cpus"));
  if (!options.canary_song.empty() && node->config_.canary) {
    auto canary = capture::Canary::hatch(options.canary_song);  // before there are threads
    if (canary)
      node->canary_.emplace(std::move(*canary));
    else
      node->canary_fault_ = canary.error().what;
  }
  if (!options.socket.empty()) node->socket_ = TRY(serve::LocalSocket::open(options.socket, *node));
  if (!options.socket.empty()) TRY(node->start_http(options.configuration));
  capture::raise_memlock();
  node->kernel_ = capture::probe(node->btf_config_.path);
  TRY(node->open_channels());
  TRY(node->start_sources(options.configuration));
  node->attached_after_ = monotonic_now() - node->began_;
  TRY(node->start_sinks(options));
  node->read_clocks(monotonic_now());
  node->inlet_(replay::Watching{monotonic_now()});
  TRY(node->intake_.start());
  node->sing();
  ::malloc_trim(0);  // loading needs some 15 MB for a moment
  return node;
}

// The server's thread reads `http_` to tell its own figures, so it has to end before that changes.
Node::~Node() {
  socket_.reset();
  if (http_) http_->stop();
  http_.reset();
  finish();
}

Status Node::open_channels() {
  using capture::Channel;
  const bool ring = covers(kernel_.features, capture::Feature::ringbuf);
  lateness_ = ring ? kRingLateness : kPerfLateness;
  hierarchy_ = capture::find_hierarchy(kernel_.btf);
  cgroup_resolver_.emplace(hierarchy_);
  critical_ =
      TRY(Channel::open("critical", ring ? Channel::Kind::ring : Channel::Kind::perf,
                        Channel::Wake::at_once, config_.critical_ring.bytes, intake_.taker()));
  intake_.watch(*critical_);
  return {};
}

Status Node::start_sources(const config::Tree& configuration) {
  const auto section = [&](const Descriptor& d) -> const config::Section& {
    return configuration.at("observers." + std::string(d.name));
  };
  const auto list =
      select(observers(), [&](const Descriptor& d) { return is_enabled(section(d)); }, stories());
  for (const Selected& selected : list) {
    Source& source = sources_.emplace_back();
    source.selected = selected;
    source.reason = selected.reason;
    source.state = "off";
    if (selected.as != Selected::As::off) start_source(source, section(*selected.descriptor));
  }
  return {};
}

void Node::start_source(Source& source, const config::Section& settings) {
  const Descriptor& descriptor = *source.selected.descriptor;
  const auto ns = capture::own_pid_namespace();
  capture::Common common{.kernel = kernel_,
                         .settings = {.pidns_dev = ns.dev,
                                      .pidns_ino = ns.ino,
                                      .self_tgid = static_cast<std::uint32_t>(::getpid()),
                                      .cgroup_subsystem = hierarchy_.subsystem,
                                      .fair_share = config_.critical_share,
                                      .perf = !covers(kernel_.features, capture::Feature::ringbuf)},
                         .critical_fd = critical_->map_fd(),
                         .critical_bytes = critical_->bytes(),
                         .cpus_per_ring = config_.cpus_per_ring,
                         .outside = &outside()};
  const bool full = source.selected.as == Selected::As::full;
  inlet_(replay::Starting{descriptor.name, !full});
  source.programs = std::make_unique<capture::Programs>(std::move(common), intake_.taker());
  auto observer = descriptor.start({settings, *source.programs, outside()});
  if (!observer) {
    source.programs.reset();
    source.state = state_of(observer.error().fault);
    source.reason = observer.error().what;
    if (!first_fault_) first_fault_ = std::move(observer.error()).within(descriptor.name);
    return;
  }
  source.state = full ? "on" : "provider";
  const auto choices = source.programs->choices();
  source.choices.assign(choices.begin(), choices.end());
  if (source.programs->loaded()) {
    source.books.resize(descriptor.hooks.size());
    source.missed.resize(descriptor.hooks.size());
    intake_.watch(source.programs->channel());
    intake_.admit(descriptor.id, source.programs->ledger());
  } else {  // it reads something else than events of programs
    if (const auto& why = source.programs->why_not(); !why.empty())
      source.reason = fmt::format("without events: {}", why);
    source.programs.reset();
  }
  pipeline_.admit(descriptor, std::move(*observer), full ? Role::full : Role::provider);
}

Status Node::start_sinks(NodeOptions& options) {
  for (auto& [name, sink] : options.sinks)
    feeds_.push_back(std::make_unique<Outlet>(name, std::move(sink)));
  if (!options.configured_sinks) return {};
  for (const auto* descriptor : sinks()) {
    const std::string path = "sinks." + std::string(descriptor->name);
    auto sink = descriptor->make(options.configuration.at(path));
    if (!sink) return std::unexpected(std::move(sink.error()).within(path));
    if (*sink)
      feeds_.push_back(std::make_unique<Outlet>(std::string(descriptor->name), std::move(*sink)));
  }
  return {};
}

Status Node::start_http(const config::Tree& configuration) {
  const auto& config = configuration.at("http").as<serve::HttpConfig>();
  if (!config.enabled) return {};
  auto opened = serve::HttpServer::open(config, *this);
  if (!opened) return std::unexpected(std::move(opened).error().within("http"));
  http_ = std::move(*opened);
  return {};
}

// The canary dies here, so that what it leaves behind is read with the first events.
void Node::sing() {
  if (!canary_) return;
  const auto sung = canary_->sing([this](std::uint32_t tgid) -> Status {
    for (Source& source : sources_)
      if (source.programs) TRY(source.programs->set_canary(tgid));
    return {};
  });
  if (!sung) canary_fault_ = sung.error().what;
  canary_.reset();
  const auto all_seen = [this] {
    for (const auto& hook : hooks())
      if (hook.canary == "not seen") return false;
    return true;
  };
  for (const auto until = monotonic_now() + kCanaryFlight; monotonic_now() < until && !all_seen();)
    std::this_thread::sleep_for(10ms);
}

void Node::deliver(const std::shared_ptr<const Batch>& batch) {
  for (auto& feed : feeds_) feed->offer(batch);
  if (socket_) socket_->offer(batch);
  if (http_) http_->offer(batch);
}

void Node::run(const std::function<bool()>& done) {
  while (!done()) work(seeder_ || cgroup_walk_ ? kSeedPause : kLongestWait);
}

void Node::work(std::chrono::milliseconds wait) {
  const auto drained = intake_.next(block_, wait);
  const std::lock_guard lock(state_);
  const auto now = monotonic_now();
  read_clocks(now);
  inlet_.take(block_);
  inlet_(replay::Flushed{});
  seed(now);
  seed_cgroups(now);
  inlet_(replay::Advanced{drained - lateness_});
  resolve_cgroups(now);
  if (now >= next_check_) check(now);
  inlet_(replay::Flushed{});
  last_pass_ = now;
}

void Node::read_clocks(MonotonicTime now) {
  inlet_(replay::ClocksRead{Clocks::read(), now});
}

void Node::check(MonotonicTime now) {
  next_check_ = now + kCheckEvery;
  residue_ = 0;
  for (Source& source : sources_) {
    if (!source.programs) continue;
    source.programs->refill(now);
    for (const auto& [cgroup_id, detail, count] : source.programs->take_surplus())
      inlet_(replay::SurplusTaken{source.selected.descriptor->id, {cgroup_id, detail, count}, now});
    check_books(source);
  }
  check_counts();
  check_health();
  check_sight();
  check_readiness();
  inlet_(replay::Ticked{now});
  report_losses(now);
  measure_costs(now);
  hold_budget(now);
}

void Node::check_books(Source& source) {
  const std::string observer(source.selected.descriptor->name);
  std::array<std::array<std::uint64_t, TAPIO_OUTCOMES>, TAPIO_CLASSES> sums{};
  for (std::uint32_t hook = 0; hook < source.books.size(); ++hook) {
    const auto books = intake_.with_books([&] { return source.programs->ledger().balance(hook); });
    if (!books) continue;
    source.books[hook] = *books;
    source.missed[hook] = source.programs->missed(hook);
    residue_ += books->residue;
    for (int c = 0; c < TAPIO_CLASSES; ++c)
      for (int o = 0; o < TAPIO_OUTCOMES; ++o) sums[c][o] += books->row.classes[c].outcome[o];
  }
  for (int c = 0; c < TAPIO_CLASSES; ++c)
    for (int o = TAPIO_EMITTED + 1; o < TAPIO_OUTCOMES; ++o)
      losses_.total({observer, std::string(name(static_cast<tapio_class>(c))), "kernel",
                     std::string(name(static_cast<tapio_outcome>(o)))},
                    sums[c][o]);
  losses_.total({observer, "*", "kernel", "missed"},
                std::reduce(source.missed.begin(), source.missed.end()));
}

// An observer that broke its contract is switched off; the others go on.
void Node::check_health() {
  for (const auto& [id, why] : pipeline_.take_broken())
    for (Source& source : sources_)
      if (source.selected.descriptor->id == id) {
        if (source.programs) source.programs->detach();
        source.state = "failed";
        source.reason = why;
        log::error("observer {} is switched off: {}", source.selected.descriptor->name, why);
      }
  const auto malformed = intake_.malformed();
  if (std::uint64_t unsaid = 0;
      malformed > malformed_told_ && malformed_log_.due(monotonic_now(), unsaid)) {
    log::warning("{} samples had no header that anybody knows; they were dropped", malformed);
    malformed_told_ = malformed;
  }
}

// What stories name as missing.
void Node::check_sight() {
  std::vector<std::string> blind;
  for (const auto& [name, state, reason] : observer_states())
    if (auto sentence = blind_without(name, state, reason); !sentence.empty())
      blind.push_back(std::move(sentence));
  for (const auto& hook : hooks())
    if (auto sentence = blind_in(hook.observer, hook.hook, hook.program, hook.canary);
        !sentence.empty())
      blind.push_back(std::move(sentence));
  for (const std::string_view sentence : missing()) blind.emplace_back(sentence);
  if (blind == pipeline_.known().blind_spots()) return;
  const std::vector<std::string_view> sentences(blind.begin(), blind.end());
  inlet_(replay::SightChanged{sentences});
}

void Node::check_counts() {
  std::uint64_t handled = 0;
  for (const Source& source : sources_) {
    const auto id = source.selected.descriptor->id;
    const std::string observer(source.selected.descriptor->name);
    const auto read = intake_.counts(id);
    const auto found = pipeline_.counts().find(id);
    const auto worked = found == pipeline_.counts().end() ? Pipeline::Counts{} : found->second;
    handled += worked.handled;
    losses_.total({observer, "*", "decode", "malformed"}, worked.malformed);
    for (int c = 0; c < TAPIO_CLASSES; ++c) {
      const std::string event_class(name(static_cast<tapio_class>(c)));
      losses_.total({observer, event_class, "queue", "full"}, read.queue_dropped[c]);
      losses_.total({observer, event_class, "records", "rate_limited"}, worked.rate_limited[c]);
    }
  }
  losses_.total({"*", "*", "decode", "malformed_header"}, intake_.malformed());
  for (const auto& feed : feeds_) check_feed(*feed);
  // What was handed to the pipeline is worked on, or waits for its turn.
  const auto balance = static_cast<std::int64_t>(intake_.handed_out()) -
                       static_cast<std::int64_t>(handled + pipeline_.waiting());
  residue_ += std::abs(balance);
}

// Gap records that a sink drops are counted by it and cause no others, or they would for ever.
void Node::check_feed(const Outlet& feed) {
  const auto counts = feed.counts();
  for (const auto reason : {DropReason::queue_full, DropReason::failed, DropReason::not_kept}) {
    for (int c = 0; c < TAPIO_CLASSES; ++c) {
      const auto event_class = static_cast<tapio_class>(c);
      std::uint64_t dropped = 0;
      for (const auto kind : {Kind::event, Kind::metric, Kind::finding, Kind::story})
        dropped += counts.dropped(reason).of(event_class, kind);
      losses_.total(
          {"*", std::string(name(event_class)), "sink:" + feed.name(), std::string(name(reason))},
          dropped);
    }
  }
}

void Node::report_losses(MonotonicTime now) {
  for (const auto& [key, from, to, count] : losses_.fresh(now)) {
    inlet_(
        replay::LossFound{key.observer, key.event_class, key.stage, key.reason, from, to, count});
    if (is_on_purpose(key.reason)) continue;
    for (Source& source : sources_)
      if (source.selected.descriptor->name == key.observer) source.lost_at = now;
  }
}

void Node::finish() {
  if (std::exchange(finished_, true)) return;
  {
    const std::lock_guard lock(state_);  // whoever asks for the status is told what is attached
    for (Source& source : sources_)
      if (source.programs) source.programs->detach();
  }
  intake_.stop();
  {
    const std::lock_guard lock(state_);
    const auto now = monotonic_now();
    intake_.next(block_, 0ms);
    inlet_.take(block_);
    inlet_(replay::Advanced{now + 1min});  // nothing older comes, and stories need not wait
    check(now);
    inlet_(replay::Flushed{});
  }
  for (auto& feed : feeds_) feed->stop(std::chrono::steady_clock::now() + kSinkPatience);
}

bool Node::any_observer_on() const {
  return std::ranges::any_of(
      sources_, [](const Source& s) { return s.state == "on" || s.state == "provider"; });
}

std::vector<Node::ObserverState> Node::observer_states() const {
  std::vector<ObserverState> list;
  for (const Source& source : sources_)
    list.push_back({source.selected.descriptor->name, source.state, reason_of(source)});
  return list;
}

// Of the state, or else what the observer itself remarks.
std::string Node::reason_of(const Source& source) const {
  if (!source.reason.empty()) return source.reason;
  auto remark = pipeline_.remark(source.selected.descriptor->id);
  return remark ? std::move(remark->text) : std::string();
}

std::vector<Node::HookState> Node::hooks() {
  std::vector<HookState> list;
  for (const Source& source : sources_) {
    const auto& descriptor = *source.selected.descriptor;
    for (std::size_t i = 0; i < source.choices.size(); ++i) {
      const auto& choice = source.choices[i];
      HookState& state = list.emplace_back(HookState{descriptor.name, descriptor.hooks[i].name,
                                                     choice.program ? choice.program : "", ""});
      const auto row = static_cast<std::uint8_t>(i);
      const auto last = intake_.last_seen(descriptor.id, row);
      if (!choice.program)
        state.canary =
            (is_on_request(descriptor.hooks[i]) ? "off: " : "unsupported: ") + choice.reason;
      else if (source.programs && source.programs->is_off(row))
        state.canary = "off: to hold the budget";
      else if (descriptor.hooks[i].trigger == capture::Trigger::canary && config_.canary)
        state.canary = intake_.canary_seen(descriptor.id, row) ? "seen"
                       : canary_fault_                         ? "no canary: " + *canary_fault_
                                                               : "not seen";
      else
        state.canary =
            last.count()
                ? fmt::format("passive, last seen {:.1f} s ago",
                              std::chrono::duration<double>(monotonic_now() - last).count())
                : "passive, last seen never";
    }
  }
  return list;
}

std::vector<std::string> Node::report() {
  std::vector<std::string> lines;
  const std::lock_guard lock(state_);
  lines.push_back(fmt::format(
      "kernel: {} ({}); cgroup ids from {}", names(kernel_.features),
      covers(kernel_.features, capture::Feature::ringbuf) ? "ring buffers" : "perf buffers",
      hierarchy_.mount.empty() ? "nowhere: no cgroup file system is mounted" : hierarchy_.name));
  if (!kernel_.btf.path.empty()) lines.push_back("  btf from " + capture::describe(kernel_.btf));
  for (const auto& [feature, reason] : kernel_.missing)
    if (feature != "btf") lines.push_back(fmt::format("  without {}: {}", feature, reason));
  for (const auto& [name, state, reason] : observer_states())
    lines.push_back(
        fmt::format("observer {}: {}{}{}", name, state, reason.empty() ? "" : ": ", reason));
  for (const auto& hook : hooks())
    lines.push_back(fmt::format("  {:<16} {:<14} {}{}", hook.hook,
                                hook.program.empty() ? "off" : hook.program,
                                hook.program.empty() ? "" : "canary ", hook.canary));
  for (const auto* rule : stories()) lines.push_back(fmt::format("story {}: on", rule->name));
  for (const auto& feed : feeds_) lines.push_back(fmt::format("sink {}: on", feed->name()));
  if (http_) lines.push_back(fmt::format("http: on {}", http_->address()));
  lines.push_back(
      fmt::format("attached after {} ms",
                  std::chrono::duration_cast<std::chrono::milliseconds>(attached_after_).count()));
  return lines;
}

std::uint64_t Node::ring_bytes() const {
  std::uint64_t bytes = critical_ ? critical_->bytes() : 0;
  for (const Source& source : sources_)
    if (source.programs) bytes += source.programs->ring_bytes();
  return bytes;
}

std::uint64_t Node::map_bytes() const {
  std::uint64_t bytes = 0;
  for (const Source& source : sources_)
    if (source.programs) bytes += source.programs->map_bytes();
  return bytes;
}

}  // namespace tapio::agent
